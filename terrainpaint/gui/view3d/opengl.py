"""What OpenGL needs around the start of the program, and whether this computer has it."""

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
    """What draws: its name, and whether it is a program instead of a graphics card."""

    name: str
    is_software: bool


def surface_format(samples: int) -> QSurfaceFormat:
    """OpenGL 3.3 core with a 24-bit depth buffer; `samples` a pixel against jagged edges, 0 for none."""
    asked = QSurfaceFormat()
    asked.setVersion(*_VERSION)
    # macOS has 3.3 in the core profile only.
    asked.setProfile(QSurfaceFormat.OpenGLContextProfile.CoreProfile)
    asked.setDepthBufferSize(24)
    asked.setSamples(samples)
    return asked


def prepare_opengl() -> None:
    """What must be set before QApplication is made."""
    # A dock that floats gets another native window and with it another context; textures must outlive that.
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
    QSurfaceFormat.setDefaultFormat(surface_format(0))


def choose_platform() -> None:
    """What must be set after QApplication is made and before OpenGL is imported.

    PyOpenGL goes by the session, Qt may not: in a Wayland session with Qt on X11 every call would fail.
    """
    platform = _PYOPENGL.get(QGuiApplication.platformName())
    if platform == "glx" and "egl" in os.environ.get("QT_XCB_GL_INTEGRATION", ""):
        platform = "egl"
    if platform is not None:
        os.environ.setdefault("PYOPENGL_PLATFORM", platform)


def find_driver() -> Driver:
    """The driver that a view would draw with.

    Raises DeviceError when there is none that knows OpenGL 3.3.
    """
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
        made = context.format()
        if context.isOpenGLES() or made.version() < _VERSION:
            kind = "OpenGL ES" if context.isOpenGLES() else "OpenGL"
            raise DeviceError(
                f"There is no 3D view because it needs OpenGL 3.3 and the driver has {kind} "
                f"{made.majorVersion()}.{made.minorVersion()}; update the graphics driver."
            )
        name = str(context.functions().glGetString(_GL_RENDERER))
    finally:
        context.doneCurrent()
    return Driver(name, any(each in name.lower() for each in _SOFTWARE))
