"""Where the time of a model's step goes, layer by layer, and how far that is from what the machine can do."""

from pronghorn.profiling.ceilings import Ceilings as Ceilings
from pronghorn.profiling.ceilings import measure_ceilings as measure_ceilings
from pronghorn.profiling.profile import Profile as Profile
from pronghorn.profiling.rows import ProfileRow as ProfileRow
