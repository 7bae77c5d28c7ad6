"""The ops of `keras.ops.numpy` under one name."""

from __future__ import annotations

from pronghorn.ops.creation import *  # noqa: F403
from pronghorn.ops.elementwise import *  # noqa: F403
from pronghorn.ops.indexing import *  # noqa: F403
from pronghorn.ops.joining import *  # noqa: F403
from pronghorn.ops.linalg import *  # noqa: F403
from pronghorn.ops.manipulation import *  # noqa: F403
from pronghorn.ops.ordering import *  # noqa: F403
from pronghorn.ops.ranges import *  # noqa: F403
from pronghorn.ops.reduction import *  # noqa: F403
from pronghorn.ops.statistics import *  # noqa: F403
from pronghorn.ops.windows import *  # noqa: F403
