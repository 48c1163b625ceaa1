"""Runs in the Python of QGIS: prints what it finds in the files of a land, and makes a picture of them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from qgis.core import (
    Qgis,
    QgsApplication,
    QgsCoordinateTransform,
    QgsLineSymbol,
    QgsMapRendererSequentialJob,
    QgsMapSettings,
    QgsPointXY,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QSize


def main(folder: Path) -> None:
    """Open the files, ask for their corners, draw them."""
    application = QgsApplication([], False)
    application.initQgis()
    heights = QgsRasterLayer(str(folder / "land_geo.tif"), "heights")
    texture = QgsRasterLayer(str(folder / "land_albedo_geo.tif"), "texture")
    box, half_x, half_y = heights.extent(), heights.rasterUnitsPerPixelX() / 2, heights.rasterUnitsPerPixelY() / 2
    across, down = (
        (box.xMinimum() + half_x, box.xMaximum() - half_x),
        (box.yMaximum() - half_y, box.yMinimum() + half_y),
    )
    corners = [QgsPointXY(x, y) for y in down for x in across]
    result = {
        "version": Qgis.version(),
        "crs": [layer.crs().authid() for layer in (heights, texture)],
        "extent": _sides(box),
        "heights": [heights.dataProvider().sample(corner, 1)[0] for corner in corners],
        "colours": [[int(texture.dataProvider().sample(at, band)[0]) for band in (1, 2, 3)] for at in corners],
    }
    drawn = [texture]
    for name in ("contours", "lakes"):
        layer = QgsVectorLayer(str(folder / f"land_{name}.geojson"), name)
        there = QgsCoordinateTransform(layer.crs(), heights.crs(), QgsProject.instance())
        extent = QgsRectangle()
        extent.setMinimal()
        for feature in layer.getFeatures():
            shape = feature.geometry()
            shape.transform(there)
            extent.combineExtentWith(shape.boundingBox())
        result[name] = {"features": layer.featureCount(), "extent": _sides(extent)}
        if name == "contours":
            layer.renderer().setSymbol(QgsLineSymbol.createSimple({"color": "255,244,214", "width": "0.3"}))
            drawn.insert(0, layer)
    settings = QgsMapSettings()
    settings.setLayers(drawn)
    settings.setDestinationCrs(heights.crs())
    settings.setExtent(box)
    settings.setOutputSize(QSize(900, 675))
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    job.renderedImage().save(str(folder / "qgis.png"))
    print("RESULT " + json.dumps(result), flush=True)
    # Its destructors may crash after the work is done.
    sys.stdout.flush()
    application.exitQgis()


def _sides(box: Any) -> list[float]:
    return [box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum()]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
