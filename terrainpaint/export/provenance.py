"""What an exported file says of how its terrain was made."""

from __future__ import annotations

from terrainpaint.core.terrain import Provenance


def recipe_facts(made: Provenance) -> dict[str, object]:
    """Name → value of seed and, where they are not the usual ones, of the rest of the recipe."""
    recipe = made.recipe
    facts: dict[str, object] = {"seed": recipe.seed}
    if recipe.other_seed is not None:
        facts |= {"other_seed": recipe.other_seed, "blend": recipe.blend}
    if recipe.style is not None:
        facts["style_numbers"] = list(recipe.style)
    if recipe.variety != 1:
        facts["variety"] = recipe.variety
    if made.has_rerolls:
        facts["rerolled_in_places"] = True
    if made.height_scale != 1:
        facts["height_scale"] = made.height_scale
    if made.has_level_water:
        facts["water_levelled"] = True
    return facts
