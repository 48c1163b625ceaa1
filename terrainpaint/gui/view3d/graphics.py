"""Shader programs, meshes and textures on the graphics card. All of it needs the OpenGL context of the view.

Importing this module loads OpenGL, so import it only to create a view.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray
from OpenGL import GL

from terrainpaint.core.rects import Rect
from terrainpaint.errors import DeviceError
from terrainpaint.gui.view3d.block_mesh import Indices, Vertices

_ANISOTROPY, _MOST_ANISOTROPY = 0x84FE, 0x84FF  # EXT_texture_filter_anisotropic


class Program:
    """A linked vertex and fragment shader. Raises DeviceError when the driver rejects them."""

    def __init__(self, vertex: str, fragment: str) -> None:
        self._id = GL.glCreateProgram()
        # PyOpenGL's helper also validates the program, which fails in a core profile while nothing is bound.
        shaders = [_compiled(GL.GL_VERTEX_SHADER, vertex), _compiled(GL.GL_FRAGMENT_SHADER, fragment)]
        for shader in shaders:
            GL.glAttachShader(self._id, shader)
        GL.glLinkProgram(self._id)
        for shader in shaders:
            GL.glDetachShader(self._id, shader)
            GL.glDeleteShader(shader)
        if not GL.glGetProgramiv(self._id, GL.GL_LINK_STATUS):
            raise _refused(GL.glGetProgramInfoLog(self._id))
        self._places: dict[str, int] = {}

    def use(self, **uniforms: Any) -> None:
        """Make it current and set uniforms: int (texture unit), float, or an array of 2, 3, 4 or 4 x 4 numbers."""
        GL.glUseProgram(self._id)
        for name, value in uniforms.items():
            if name not in self._places:
                self._places[name] = GL.glGetUniformLocation(self._id, name)
            place = self._places[name]
            if isinstance(value, int):
                GL.glUniform1i(place, value)
                continue
            numbers = np.asarray(value, np.float32)
            if numbers.shape == ():
                GL.glUniform1f(place, float(numbers))
            elif numbers.shape == (2,):
                GL.glUniform2f(place, *numbers.tolist())
            elif numbers.shape == (3,):
                GL.glUniform3f(place, *numbers.tolist())
            elif numbers.shape == (4,):
                GL.glUniform4f(place, *numbers.tolist())
            else:
                GL.glUniformMatrix4fv(place, 1, GL.GL_TRUE, np.ascontiguousarray(numbers))

    def delete(self) -> None:
        """Free it in the driver."""
        GL.glDeleteProgram(self._id)


class Mesh:
    """Triangles with vertices as rows of floats; `lengths` are the numbers of floats of the attributes."""

    def __init__(self, vertices: Vertices, indices: Indices, lengths: tuple[int, ...]) -> None:
        self._count = len(indices)
        self._array = GL.glGenVertexArrays(1)
        self._buffers = GL.glGenBuffers(2)
        GL.glBindVertexArray(self._array)
        GL.glBindBuffer(GL.GL_ARRAY_BUFFER, self._buffers[0])
        GL.glBufferData(GL.GL_ARRAY_BUFFER, vertices.nbytes, np.ascontiguousarray(vertices), GL.GL_STATIC_DRAW)
        GL.glBindBuffer(GL.GL_ELEMENT_ARRAY_BUFFER, self._buffers[1])
        GL.glBufferData(GL.GL_ELEMENT_ARRAY_BUFFER, indices.nbytes, np.ascontiguousarray(indices), GL.GL_STATIC_DRAW)
        first = 0
        for place, length in enumerate(lengths):
            GL.glEnableVertexAttribArray(place)
            GL.glVertexAttribPointer(
                place, length, GL.GL_FLOAT, GL.GL_FALSE, vertices.strides[0], ctypes.c_void_p(4 * first)
            )
            first += length
        GL.glBindVertexArray(0)

    def draw(self) -> None:
        """Draw all triangles with the current program."""
        GL.glBindVertexArray(self._array)
        GL.glDrawElements(GL.GL_TRIANGLES, self._count, GL.GL_UNSIGNED_INT, ctypes.c_void_p(0))
        GL.glBindVertexArray(0)

    def delete(self) -> None:
        """Free it in the driver."""
        GL.glDeleteVertexArrays(1, [self._array])
        GL.glDeleteBuffers(2, self._buffers)


class Texture:
    """A texture of (H, W) float32, (H, W) uint8 or (H, W, 3) uint8, clamped at its border, with mipmaps."""

    def __init__(self, cells: NDArray[Any]) -> None:
        inside, self._kind, self._type = _layout(cells)
        self.shape: tuple[int, ...] = cells.shape
        self._id = GL.glGenTextures(1)
        GL.glBindTexture(GL.GL_TEXTURE_2D, self._id)
        GL.glTexParameteri(GL.GL_TEXTURE_2D, GL.GL_TEXTURE_WRAP_S, GL.GL_CLAMP_TO_EDGE)
        GL.glTexParameteri(GL.GL_TEXTURE_2D, GL.GL_TEXTURE_WRAP_T, GL.GL_CLAMP_TO_EDGE)
        GL.glTexParameteri(GL.GL_TEXTURE_2D, GL.GL_TEXTURE_MAG_FILTER, GL.GL_LINEAR)
        GL.glTexParameteri(GL.GL_TEXTURE_2D, GL.GL_TEXTURE_MIN_FILTER, GL.GL_LINEAR_MIPMAP_LINEAR)
        GL.glPixelStorei(GL.GL_UNPACK_ALIGNMENT, 1)
        GL.glTexImage2D(
            GL.GL_TEXTURE_2D, 0, inside, cells.shape[1], cells.shape[0], 0, self._kind, self._type,
            np.ascontiguousarray(cells),
        )  # fmt: skip
        GL.glGenerateMipmap(GL.GL_TEXTURE_2D)

    def sharpen(self) -> None:
        """Turn on anisotropic filtering, which is too slow in software."""
        GL.glBindTexture(GL.GL_TEXTURE_2D, self._id)
        GL.glTexParameterf(GL.GL_TEXTURE_2D, _ANISOTROPY, min(8.0, float(GL.glGetFloatv(_MOST_ANISOTROPY))))

    def upload(self, cells: NDArray[Any], rect: Rect) -> None:
        """Copy a rectangle of `cells`, which has the shape of the texture."""
        GL.glBindTexture(GL.GL_TEXTURE_2D, self._id)
        GL.glPixelStorei(GL.GL_UNPACK_ALIGNMENT, 1)
        GL.glTexSubImage2D(
            GL.GL_TEXTURE_2D, 0, rect.col, rect.row, rect.width, rect.height, self._kind, self._type,
            np.ascontiguousarray(cells[rect.slices]),
        )  # fmt: skip
        GL.glGenerateMipmap(GL.GL_TEXTURE_2D)

    def bind(self, unit: int) -> None:
        """Bind it to a texture unit."""
        GL.glActiveTexture(GL.GL_TEXTURE0 + unit)
        GL.glBindTexture(GL.GL_TEXTURE_2D, self._id)

    def delete(self) -> None:
        """Free it in the driver."""
        GL.glDeleteTextures([self._id])


def can_sharpen() -> bool:
    """Whether the driver supports `Texture.sharpen`."""
    count = int(GL.glGetIntegerv(GL.GL_NUM_EXTENSIONS))
    names = {GL.glGetStringi(GL.GL_EXTENSIONS, index) for index in range(count)}
    return bool({b"GL_EXT_texture_filter_anisotropic", b"GL_ARB_texture_filter_anisotropic"} & names)


def _layout(cells: NDArray[Any]) -> tuple[int, int, int]:
    if cells.dtype == np.float32:
        return GL.GL_R32F, GL.GL_RED, GL.GL_FLOAT
    if cells.ndim == 2:
        return GL.GL_R8, GL.GL_RED, GL.GL_UNSIGNED_BYTE
    return GL.GL_RGB8, GL.GL_RGB, GL.GL_UNSIGNED_BYTE


def _compiled(kind: int, source: str) -> Any:
    shader = GL.glCreateShader(kind)
    GL.glShaderSource(shader, source)
    GL.glCompileShader(shader)
    if not GL.glGetShaderiv(shader, GL.GL_COMPILE_STATUS):
        raise _refused(GL.glGetShaderInfoLog(shader))
    return shader


def _refused(log: bytes | str) -> DeviceError:
    text = log.decode("utf-8", "replace") if isinstance(log, bytes) else log
    first = next((line.strip() for line in text.splitlines() if line.strip()), "no reason given")
    return DeviceError(
        f"There is no 3D view because the graphics driver rejected a shader ({first}); update the graphics driver."
    )
