"""Pictures of a scene of any size, drawn off screen in tiles. Importing this module loads OpenGL."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, suppress

import numpy as np
from numpy.typing import NDArray
from OpenGL import GL
from OpenGL.error import GLError
from PySide6.QtCore import QSize
from PySide6.QtGui import QImage
from PySide6.QtOpenGL import QOpenGLFramebufferObject, QOpenGLFramebufferObjectFormat

from terrainpaint.errors import DeviceError
from terrainpaint.gui.view3d.scene import Frame, Scene
from terrainpaint.gui.view3d.terrain_item import TerrainItem

_SAMPLES = 4
_MOST_TILE_PX = 2048
"""A multisampled tile of this side takes 130 MB on the graphics card."""
_LINE_PX_PER_ROW = 1 / 1080
"""Lines get wider with the picture: a line of one pixel is invisible in a large one."""


def multisampled(size: QSize) -> QOpenGLFramebufferObject:
    """A framebuffer with colour, depth and several samples a pixel. It is not valid when the driver refuses it."""
    kind = QOpenGLFramebufferObjectFormat()
    kind.setAttachment(QOpenGLFramebufferObject.Attachment.CombinedDepthStencil)
    kind.setSamples(_SAMPLES)
    return QOpenGLFramebufferObject(size, kind)


def copy_framebuffer(source: int, target: int, width: int, height: int) -> None:
    """Copy the colours of a framebuffer, the mean of the samples of each pixel, and bind `target`."""
    GL.glBindFramebuffer(GL.GL_READ_FRAMEBUFFER, source)
    GL.glBindFramebuffer(GL.GL_DRAW_FRAMEBUFFER, target)
    GL.glBlitFramebuffer(0, 0, width, height, 0, 0, width, height, GL.GL_COLOR_BUFFER_BIT, GL.GL_NEAREST)
    GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, target)


def tiles(
    drawing: Callable[[], AbstractContextManager[TerrainItem]],
    scene: Scene,
    size: tuple[int, int],
    grid: int,
    *,
    has_background: bool = True,
    least_aspect: float = 0.0,
) -> Generator[float, None, NDArray[np.uint8]]:
    """Draw a picture of `size` (width, height) tile by tile; yields the fraction that is done after each of them.

    Returns (h, w, 3) uint8 sRGB, or (h, w, 4) with straight alpha when the background stays transparent. `drawing`
    makes the OpenGL context current and gives the item that draws. `grid` is one of the grids of `terrain_item`. A
    picture that is narrower than `least_aspect`, width over height, shows as much from left to right as one of that
    aspect. Raises DeviceError.
    """
    width, height = size
    wider = max(1.0, least_aspect * height / width)
    picture = np.empty((height, width, 3 if has_background else 4), np.uint8)
    with drawing():
        side = _tile_px()
    parts = [(top, left) for top in range(0, height, side) for left in range(0, width, side)]
    try:
        for done, (top, left) in enumerate(parts, 1):
            bottom, right = min(top + side, height), min(left + side, width)
            part = (
                wider * (2 * left / width - 1), wider * (1 - 2 * bottom / height),
                wider * (2 * right / width - 1), wider * (1 - 2 * top / height),
            )  # fmt: skip
            frame = Frame(width / height, part, max(1.0, height * _LINE_PX_PER_ROW), has_background)
            with drawing() as item:
                tile = _tile(item, scene, frame, QSize(right - left, bottom - top), grid)
            picture[top:bottom, left:right] = tile[..., : picture.shape[2]]
            yield done / len(parts)
    finally:
        # The view may have failed meanwhile, and then it has freed everything.
        with suppress(DeviceError), drawing() as item:
            item.forget_other()
    return picture


def _tile_px() -> int:
    """The longest side of a tile that the driver draws."""
    viewport = (int(most) for most in GL.glGetIntegerv(GL.GL_MAX_VIEWPORT_DIMS))
    return min(_MOST_TILE_PX, int(GL.glGetIntegerv(GL.GL_MAX_RENDERBUFFER_SIZE)), *viewport)


def _tile(item: TerrainItem, scene: Scene, frame: Frame, size: QSize, grid: int) -> NDArray[np.uint8]:
    """(h, w, 4) uint8, straight alpha. The context must be current."""
    target = multisampled(size)
    if not target.isValid() or not target.bind():
        raise DeviceError(
            "The graphics driver has no memory for a picture of the 3D view; close other programs and try again."
        )
    shown, item.grid = item.grid, grid
    try:
        GL.glViewport(0, 0, size.width(), size.height())
        GL.glClearColor(0.0, 0.0, 0.0, 0.0)
        GL.glClear(GL.GL_COLOR_BUFFER_BIT | GL.GL_DEPTH_BUFFER_BIT)
        item.draw(scene, frame)
    except GLError as error:
        raise DeviceError(
            f"The graphics driver could not draw the picture ({error.description}); update the graphics driver."
        ) from error
    finally:
        item.grid = shown
        target.release()
    image = target.toImage().convertToFormat(QImage.Format.Format_RGBA8888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    # The copy: the memory belongs to the image.
    return rows[:, : 4 * image.width()].reshape(image.height(), image.width(), 4).copy()
