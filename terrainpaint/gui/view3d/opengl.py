"""The set-up that OpenGL needs at the start of the program, and the search for a driver."""

from __future__ import annotations

import os
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QGuiApplication, QOffscreenSurface, QOpenGLContext, QSurfaceFormat

from terrainpaint.errors import DeviceError

_VERSION = (3, 3)
_GL_RENDERER = 0x1F01
_SOFTWARE = ("llvmpipe", "softpipe", "swiftshader", "swrast", "gdi generic", "basic render driver")
_HEADLESS = ("offscreen", "minimal", "minimalegl", "vnc", "linuxfb")
_PYOPENGL = {"xcb": "glx", "wayland": "egl", "wayland-egl": "egl", "eglfs": "egl"}


@dataclass(frozen=True)
class Driver:
    """The name of the OpenGL renderer, and whether it is software without a graphics card."""

    name: str
    is_software: bool


def surface_format(samples: int) -> QSurfaceFormat:
    """OpenGL 3.3 core with a 24-bit depth buffer and `samples` of multisampling, 0 for none."""
    surface = QSurfaceFormat()
    surface.setVersion(*_VERSION)
    # macOS has 3.3 in the core profile only.
    surface.setProfile(QSurfaceFormat.OpenGLContextProfile.CoreProfile)
    surface.setDepthBufferSize(24)
    surface.setSamples(samples)
    return surface


def prepare_opengl() -> None:
    """Call this before QApplication is created."""
    # A floating dock gets another native window and with it another context; textures must survive that.
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
    QSurfaceFormat.setDefaultFormat(surface_format(0))


def choose_platform() -> None:
    """Call this after QApplication is created and before OpenGL is imported.

    PyOpenGL chooses its platform by the session. Qt may choose another, for example X11 in a Wayland session; then
    every OpenGL call would fail.
    """
    platform = _PYOPENGL.get(QGuiApplication.platformName())
    if platform == "glx" and "egl" in os.environ.get("QT_XCB_GL_INTEGRATION", ""):
        platform = "egl"
    if platform is not None:
        os.environ.setdefault("PYOPENGL_PLATFORM", platform)


def find_driver() -> Driver:
    """The driver of a new view. Raises DeviceError when no driver supports OpenGL 3.3."""
    if QGuiApplication.platformName() in _HEADLESS:
        raise DeviceError("There is no 3D view because this screen has no OpenGL; start the program on a desktop.")
    context, surface = QOpenGLContext(), QOffscreenSurface()
    context.setFormat(surface_format(0))
    surface.setFormat(context.format())
    started = context.create()
    if started:
        surface.create()
    if not started or not context.makeCurrent(surface):
        raise DeviceError("There is no 3D view because OpenGL could not be started; update the graphics driver.")
    try:
        actual = context.format()
        if context.isOpenGLES() or actual.version() < _VERSION:
            kind = "OpenGL ES" if context.isOpenGLES() else "OpenGL"
            raise DeviceError(
                f"There is no 3D view because it needs OpenGL 3.3 and the driver has {kind} "
                f"{actual.majorVersion()}.{actual.minorVersion()}; update the graphics driver."
            )
        name = str(context.functions().glGetString(_GL_RENDERER))
    finally:
        context.doneCurrent()
    return Driver(name, any(renderer in name.lower() for renderer in _SOFTWARE))
