"""The types of the public names, for editors and type checkers; `__init__.py` imports them when they are used."""

from terrainpaint.api.dreamed_maps import dream as dream
from terrainpaint.api.estimates import Estimate as Estimate
from terrainpaint.api.export_plans import formats as formats
from terrainpaint.api.export_plans import presets as presets
from terrainpaint.api.generated_terrain import GeneratedTerrain as GeneratedTerrain
from terrainpaint.api.painted_maps import PaintedMap as PaintedMap
from terrainpaint.api.painted_maps import from_classes as from_classes
from terrainpaint.api.painted_maps import open_project as open_project
from terrainpaint.api.painted_maps import read_map as read_map
from terrainpaint.api.terrains import estimate as estimate
from terrainpaint.api.terrains import generate as generate
from terrainpaint.api.terrains import looks as looks
from terrainpaint.api.terrains import styles as styles
from terrainpaint.core.classes import CLASS_NAMES as CLASS_NAMES
from terrainpaint.errors import OptionError as OptionError
from terrainpaint.errors import TerrainPaintError as TerrainPaintError

__version__: str
