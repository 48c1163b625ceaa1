"""Water that flows: painted rivers cut into the land, lakes with an outlet, depressions that are opened, catchments.

`painted_water` tells rivers from lakes and the sea, `river_network` finds which way they run, `flow_routing` how much
water they gather, `courses` their beds; `valleys` cuts these into the heights. `waters` has what others use.
"""

from terrainpaint.core.hydrology.river_network import Mouth
from terrainpaint.core.hydrology.waters import (
    NO_FLOW,
    FlowingWater,
    Lake,
    River,
    WaterKind,
    Waters,
    find_waters,
    flow_accumulation,
    with_flowing_water,
)

__all__ = [
    "NO_FLOW",
    "FlowingWater",
    "Lake",
    "Mouth",
    "River",
    "WaterKind",
    "Waters",
    "find_waters",
    "flow_accumulation",
    "with_flowing_water",
]
