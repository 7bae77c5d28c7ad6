// Tiles of pixels that the copy engine finds by itself: boxes of some images, rows and columns.
#pragma once
#include "cuda/conv/gather.h"

namespace ph::cuda {

// A box, and how many of them cover the pixels of all images. Boxes are counted along the columns first; a box's pixels
// are too.
struct PixelBox {
  int images, rows, columns;
  int image_boxes, row_boxes, column_boxes;

  struct Pixel {
    int image, row, column;
  };

  int64_t boxes() const { return int64_t{image_boxes} * row_boxes * column_boxes; }

  // The first pixel of a box.
  __device__ Pixel corner(int box) const {
    const int line = box / column_boxes;
    return {line / row_boxes * images, line % row_boxes * rows, box % column_boxes * columns};
  }
  // To that of the next box.
  __device__ void advance(Pixel& corner) const {
    if ((corner.column += columns) < column_boxes * columns) return;
    corner.column = 0;
    if ((corner.row += rows) < row_boxes * rows) return;
    corner.row = 0;
    corner.image += images;
  }
  // Pixel number i of the box at `corner`; it may lie outside the images, or behind the box.
  __device__ Pixel pixel(const Pixel& corner, int i) const {
    const int line = i / columns;
    return {corner.image + line / rows, corner.row + line % rows, corner.column + i % columns};
  }
};

inline PixelBox covered_by(const int (&box)[3], int images, int rows, int columns) {
  const auto count = [](int size, int of_box) { return static_cast<int>(divide_up(size, of_box)); };
  return {box[0], box[1], box[2], count(images, box[0]), count(rows, box[1]), count(columns, box[2])};
}

// At most `most` pixels to a box, as few boxes as cover all pixels; `reach`: what a box may extend along rows and
// columns.
inline PixelBox fewest_boxes(int most, int images, int rows, int columns, int reach_rows, int reach_columns) {
  PixelBox best{};
  for (int across = 1; across <= least(least(columns, most), reach_columns); ++across) {
    for (int down = 1; down <= least(least(rows, most / across), reach_rows); ++down) {
      const int deep = static_cast<int>(least(images, most / (across * down)));
      const PixelBox box = covered_by({deep, down, across}, images, rows, columns);
      // of equals the widest, whose rows lie side by side in memory
      if (best.images == 0 || box.boxes() <= best.boxes()) best = box;
    }
  }
  return best;
}

// Exactly `count` pixels, a power of two, to a box, of which only whole images are outside.
inline PixelBox dividing_boxes(int count, int images, int rows, int columns) {
  int across = 1, down = 1;
  while (columns % (2 * across) == 0 && 2 * across <= count) across *= 2;
  while (rows % (2 * down) == 0 && 2 * across * down <= count) down *= 2;
  return covered_by({count / (across * down), down, across}, images, rows, columns);
}

}  // namespace ph::cuda
