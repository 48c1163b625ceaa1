"""Shaders of the 3D view in GLSL 3.30; `shader_parts` says which coordinates they use."""

from __future__ import annotations

from terrainpaint.gui.view3d.shader_parts import AIR, COVER, EXACT, HAZE, HEAD, LAND, LIGHT, RELIEF

SKY_VERTEX = (
    HEAD
    + """
layout(location = 0) in vec2 corner;
uniform vec4 part;
uniform vec3 ahead;
uniform vec3 right;
uniform vec3 upward;
out vec3 towards;
out float height;
void main() {
    vec2 place = mix(part.xy, part.zw, corner);
    height = 0.5 + 0.5 * place.y;
    towards = ahead + place.x * right + place.y * upward;
    gl_Position = vec4(corner * 2.0 - 1.0, 1.0, 1.0);
}
"""
)

SKY_FRAGMENT = (
    HEAD
    + AIR
    + """
in vec3 towards;
in float height;
uniform float plain;
uniform vec3 top;
uniform vec3 bottom;
out vec4 colour;
void main() {
    // Noise hides the bands of a slow gradient in eight bits.
    float grain = fract(sin(dot(gl_FragCoord.xy, vec2(12.9898, 78.233))) * 43758.5453) - 0.5;
    vec3 behind = plain > 0.5 ? mix(bottom, top, smoothstep(0.0, 1.0, height)) : air(normalize(towards));
    colour = vec4(behind + grain / 255.0, 1.0);
}
"""
)

GROUND_VERTEX = (
    HEAD
    + """
layout(location = 0) in vec2 corner;
uniform mat4 view_projection;
uniform vec2 half_size;
uniform float base;
uniform float margin;
out vec2 outside;
void main() {
    vec2 at = (corner * 2.0 - 1.0) * (half_size + margin);
    outside = at;
    gl_Position = view_projection * vec4(at, base, 1.0);
}
"""
)

GROUND_FRAGMENT = (
    HEAD
    + """
in vec2 outside;
uniform vec2 half_size;
uniform float margin;
uniform float strength;
out vec4 colour;
void main() {
    float away = length(max(abs(outside) - half_size, 0.0)) / margin;
    float fade = 1.0 - smoothstep(0.0, 1.0, away);
    colour = vec4(0.0, 0.01, 0.03, strength * fade * fade);
}
"""
)

SURFACE_VERTEX = (
    HEAD
    + EXACT
    + LAND
    + AIR
    + HAZE
    + """
layout(location = 0) in vec2 place;
uniform mat4 view_projection;
out vec2 at;
out vec4 before;
void main() {
    at = place;
    vec3 point = world(place, height_at(place));
    before = haze_before(point);
    gl_Position = view_projection * vec4(point, 1.0);
}
"""
)

SURFACE_FRAGMENT = (
    HEAD
    + LAND
    + RELIEF
    + LIGHT
    + COVER
    + """
in vec2 at;
in vec4 before;
uniform sampler2D picture;
uniform sampler2D sunlit;
uniform vec2 picture_reach;
uniform vec2 lines;
uniform float line_px;
uniform float wireframe;
out vec4 colour;

// Grid lines, every 2^n-th, as many as are separate at this distance.
float line_at(vec2 place) {
    vec2 grid = place * lines;
    vec2 width = fwidth(grid) * line_px;
    float level = max(log2(max(width.x, width.y) * 9.0), 0.0);
    float step_ = exp2(floor(level));
    vec2 coarse = abs(fract(grid / (2.0 * step_) - 0.5) - 0.5) * 2.0 * step_ / width;
    vec2 fine = abs(fract(grid / step_ - 0.5) - 0.5) * step_ / width;
    float both = 1.0 - min(min(coarse.x, coarse.y), 1.0);
    float faint = 1.0 - min(min(fine.x, fine.y), 1.0);
    return max(both, faint * (1.0 - fract(level)));
}

void main() {
    if (is_covered(at)) discard;
    vec3 ground = texture(picture, at * picture_reach).rgb;
    float sunshine = texture(sunlit, at * reach).r;
    ground = to_screen(lit(to_linear(ground), normal_of(heights, first, reach, at), sunshine, openness_at(at)));
    if (wireframe > 0.5) {
        ground = mix(dimmed(ground), vec3(0.97, 0.98, 0.93), 0.62 * line_at(at));
    }
    colour = vec4(mix(ground, before.rgb, before.a), 1.0);
}
"""
)

PATCH_VERTEX = (
    HEAD
    + EXACT
    + LAND
    + AIR
    + HAZE
    + """
// x and y 0..1 in the patch; z is 1 on the lower edge of its skirt, which hides what is left of cracks.
layout(location = 0) in vec3 corner;
uniform mat4 view_projection;
uniform vec2 patch_first;
uniform vec2 patch_size;
uniform float skirt;
uniform sampler2D fine;
uniform vec2 fine_first;
uniform vec2 fine_reach;
uniform sampler2D below;
uniform vec2 below_first;
uniform vec2 below_reach;
uniform vec2 mesh_first;
uniform vec2 mesh_size;
uniform vec2 mesh_cells;
uniform sampler2D weight;
uniform vec2 weight_scale;
uniform vec2 weight_offset;
out vec2 at;
out vec4 before;
out float share;

float corner_of_mesh(vec2 index) {
    vec2 place = mesh_first + index / mesh_cells * mesh_size;
    return textureLod(below, (place - below_first) * below_reach, 0.0).r;
}

// The height of the triangles of the land below, those of `block_mesh.grid`.
float mesh_height(vec2 place) {
    vec2 grid = (place - mesh_first) / mesh_size * mesh_cells;
    vec2 index = clamp(floor(grid), vec2(0.0), mesh_cells - 1.0);
    vec2 part = grid - index;
    float east = corner_of_mesh(index + vec2(1.0, 0.0));
    float south = corner_of_mesh(index + vec2(0.0, 1.0));
    if (part.x + part.y <= 1.0) {
        float here = corner_of_mesh(index);
        return here + part.x * (east - here) + part.y * (south - here);
    }
    float far = corner_of_mesh(index + vec2(1.0, 1.0));
    return far + (1.0 - part.x) * (south - far) + (1.0 - part.y) * (east - far);
}

void main() {
    at = patch_first + corner.xy * patch_size;
    share = textureLod(weight, at * weight_scale + weight_offset, 0.0).r;
    float height = textureLod(fine, (at - fine_first) * fine_reach, 0.0).r;
    if (share < 1.0) height = mix(mesh_height(at), height, share);
    // At the border of the map the lower edge lies behind the wall of the block, or both would be at the same depth.
    vec2 foot = mix(at, clamp(at, 0.002, 0.998), corner.z);
    vec3 point = world(foot, height * lift - corner.z * skirt);
    before = haze_before(point);
    gl_Position = view_projection * vec4(point, 1.0);
}
"""
)

PATCH_FRAGMENT = (
    HEAD
    + LAND
    + RELIEF
    + LIGHT
    + COVER
    + """
in vec2 at;
in vec4 before;
in float share;
uniform sampler2D sunlit;
uniform sampler2D fine;
uniform vec2 fine_first;
uniform vec2 fine_reach;
uniform sampler2D fine_picture;
uniform sampler2D below;
uniform vec2 below_first;
uniform vec2 below_reach;
uniform sampler2D below_picture;
uniform vec2 below_picture_reach;
uniform float wireframe;
out vec4 colour;

void main() {
    if (is_covered(at)) discard;
    vec3 ground = texture(fine_picture, (at - fine_first) * fine_reach).rgb;
    vec3 normal = normal_of(fine, fine_first, fine_reach, at);
    if (share < 1.0) {
        ground = mix(texture(below_picture, (at - below_first) * below_picture_reach).rgb, ground, share);
        normal = normalize(mix(normal_of(below, below_first, below_reach, at), normal, share));
    }
    float sunshine = texture(sunlit, at * reach).r;
    ground = to_screen(lit(to_linear(ground), normal, sunshine, openness_at(at)));
    if (wireframe > 0.5) ground = dimmed(ground);
    colour = vec4(mix(ground, before.rgb, before.a), 1.0);
}
"""
)

WALL_VERTEX = (
    HEAD
    + EXACT
    + LAND
    + AIR
    + HAZE
    + """
layout(location = 0) in vec2 place;
layout(location = 1) in vec3 edge;
uniform mat4 view_projection;
uniform float base;
uniform float water;
uniform float of_water;
out vec3 at;
out vec4 before;
flat out vec2 outward;
out float depth;
void main() {
    float land = height_at(place);
    float upper = of_water > 0.5 ? max(water, land) : land;
    float lower = of_water > 0.5 ? land : base;
    float z = edge.x > 0.5 ? upper : lower;
    at = world(place, z);
    before = haze_before(at);
    outward = edge.yz;
    depth = upper - z;
    gl_Position = view_projection * vec4(at, 1.0);
}
"""
)

WALL_FRAGMENT = (
    HEAD
    + LIGHT
    + """
in vec3 at;
in vec4 before;
flat in vec2 outward;
in float depth;
uniform vec3 eye;
uniform vec3 upper_colour;
uniform vec3 lower_colour;
uniform float fading;
uniform float opacity;
out vec4 colour;
void main() {
    vec3 normal = vec3(outward, 0.0);
    // Or the far sides of the water would be visible through the near ones.
    if (dot(normal, eye - at) < 0.0) discard;
    vec3 plain = mix(lower_colour, upper_colour, exp(-depth * fading));
    plain = to_screen(lit(to_linear(plain), normal, 0.75, 1.15));
    colour = vec4(mix(plain, before.rgb, before.a), opacity);
}
"""
)

WATER_VERTEX = (
    HEAD
    + EXACT
    + LAND
    + """
layout(location = 0) in vec2 corner;
uniform mat4 view_projection;
uniform vec2 patch_first;
uniform vec2 patch_size;
uniform float water;
out vec2 place;
out vec3 at;
void main() {
    place = patch_first + corner * patch_size;
    at = world(place, water);
    gl_Position = view_projection * vec4(at, 1.0);
}
"""
)

WATER_FRAGMENT = (
    HEAD
    + LAND
    + LIGHT
    + AIR
    + HAZE
    + COVER
    + """
in vec2 place;
in vec3 at;
uniform sampler2D sunlit;
uniform vec2 sunlit_reach;
uniform float water;
uniform float deep;
out vec4 colour;

const vec3 SHALLOW = vec3(0.16, 0.47, 0.58);
const vec3 DEEP = vec3(0.035, 0.14, 0.28);

void main() {
    if (is_covered(place)) discard;
    float depth = water - height_at(place);
    // Multisampling does not smooth the shore, which is inside of a triangle.
    float shore = clamp(0.5 + depth / max(fwidth(depth), 1e-7), 0.0, 1.0);
    if (shore <= 0.0) discard;
    depth = max(depth, 0.0);
    float murk = 1.0 - exp(-depth / deep);
    vec3 body = mix(SHALLOW, DEEP, murk);
    float opacity = mix(0.38, 0.90, murk);
    vec3 look = normalize(eye - at);
    float facing = clamp(look.z, 0.0, 1.0);
    float mirror = 0.03 + 0.75 * pow(1.0 - facing, 5.0);
    float sunshine = texture(sunlit, place * sunlit_reach).r;
    vec3 half_way = normalize(look + sun);
    float glint = pow(max(half_way.z, 0.0), 180.0) * 0.7 * sunshine;
    vec3 light = to_linear(body) * (sky_colour + sun_colour * max(sun.z, 0.0) * mix(0.35, 1.0, sunshine));
    light = mix(light, sky_colour * 1.3, mirror) + sun_colour * glint;
    vec4 before = haze_before(at);
    body = mix(to_screen(light), before.rgb, before.a);
    opacity = clamp(opacity + mirror + glint, 0.0, 0.96);
    colour = vec4(body, opacity * shore);
}
"""
)

PIN_VERTEX = (
    HEAD
    + """
layout(location = 0) in vec3 point;
layout(location = 1) in vec3 normal;
uniform mat4 view_projection;
uniform vec3 tip;
uniform float size;
out vec3 facing;
void main() {
    facing = normal;
    gl_Position = view_projection * vec4(tip + point * size, 1.0);
}
"""
)

PIN_FRAGMENT = (
    HEAD
    + """
in vec3 facing;
uniform vec3 towards_eye;
out vec4 colour;
void main() {
    float light = 0.45 + 0.55 * max(dot(normalize(facing), normalize(towards_eye + vec3(0.0, 0.0, 0.8))), 0.0);
    colour = vec4(vec3(0.93, 0.23, 0.16) * light, 1.0);
}
"""
)
