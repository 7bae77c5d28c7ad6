"""Sentences of different lengths: padded with zeros, which a mask takes out again, and read in both directions."""

import numpy as np

import pronghorn as ph
from pronghorn import layers

WORDS = {"good": 1, "bad": 2, "not": 3, "very": 4, "a": 5, "film": 6}
ph.utils.set_random_seed(1)
rng = np.random.default_rng(1)


def is_praise(sentence):
    """Add up good (1) and bad (-1); "very" doubles the next of these, "not" turns it round."""
    total, factor = 0, 1
    for word in sentence:
        factor *= {WORDS["not"]: -1, WORDS["very"]: 2}.get(word, 1)
        if word in (WORDS["good"], WORDS["bad"]):
            total += factor if word == WORDS["good"] else -factor
            factor = 1
    return total > 0


sentences = [rng.integers(1, len(WORDS) + 1, rng.integers(3, 16)).tolist() for _ in range(3000)]
x = ph.utils.pad_sequences(sentences, padding="post")
y = np.array([is_praise(sentence) for sentence in sentences])

model = ph.Sequential(
    [
        ph.Input((None,), dtype="int32"),
        layers.Embedding(len(WORDS) + 1, 8, mask_zero=True),
        layers.Bidirectional(layers.GRU(16, return_sequences=True)),
        layers.LSTM(16),
        layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile(ph.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
history = model.fit(x[:2500], y[:2500], batch_size=50, epochs=12, verbose=0).history
print(f"loss: {history['loss'][0]:.3f} -> {history['loss'][-1]:.3f}")
print(f"accuracy on new sentences: {model.evaluate(x[2500:], y[2500:], verbose=0)[1]:.1%}")
for text in ("a very good film", "not a bad film", "good", "not very good"):
    words = np.array([[WORDS[word] for word in text.split()]])
    print(f"{text!r}: {float(model(words)[0, 0]):.2f}")
