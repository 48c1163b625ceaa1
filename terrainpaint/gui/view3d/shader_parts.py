"""Functions that several shaders of the 3D view have, in GLSL 3.30.

Places on the map are fractions 0..1 of it, x east and y south; a texture begins at the place `first`, and `reach` is
the fraction of it that a whole map would fill. World coordinates: x east, y north, z up, in units of the longest side
of the map. Heights are metres; `lift` is units per metre.
"""

from __future__ import annotations

HEAD = "#version 330 core\n"

LAND = """
uniform sampler2D heights;
uniform vec2 first;
uniform vec2 reach;
uniform vec2 half_size;
uniform float lift;

float height_at(vec2 place) { return textureLod(heights, (place - first) * reach, 0.0).r * lift; }

vec3 world(vec2 place, float z) {
    return vec3((2.0 * place.x - 1.0) * half_size.x, (1.0 - 2.0 * place.y) * half_size.y, z);
}
"""

RELIEF = """
// The normal at a place of the heights `land`, which begin at the place `start`; `scale` is their `reach`.
vec3 normal_of(sampler2D land, vec2 start, vec2 scale, vec2 place) {
    vec2 cell = 1.0 / (vec2(textureSize(land, 0)) * scale);
    vec2 middle = (place - start) * scale;
    vec2 right = vec2(cell.x * scale.x, 0.0), down = vec2(0.0, cell.y * scale.y);
    float east = textureLod(land, middle + right, 0.0).r - textureLod(land, middle - right, 0.0).r;
    float south = textureLod(land, middle + down, 0.0).r - textureLod(land, middle - down, 0.0).r;
    vec2 slope = lift * vec2(-east, south) / (4.0 * half_size * cell);
    return normalize(vec3(slope, 1.0));
}

// A hollow sees less sky than a ridge: compare the height with the mean of its surroundings.
float openness_at(vec2 place) {
    float here = textureLod(heights, place * reach, 0.0).r;
    float near = textureLod(heights, place * reach, 3.0).r;
    float far = textureLod(heights, place * reach, 5.0).r;
    float hollow = (near - here) * 14.0 + (far - here) * 6.0;
    return clamp(1.0 - hollow * lift, 0.55, 1.25);
}

// The colour of land on which a grid is drawn.
vec3 dimmed(vec3 colour) {
    float grey = dot(colour, vec3(0.30, 0.59, 0.11));
    return mix(vec3(grey), colour, 0.55) * 0.74;
}
"""

LIGHT = """
uniform vec3 sun;
uniform vec3 sun_colour;
uniform vec3 sky_colour;

const vec3 BOUNCE = vec3(0.22, 0.19, 0.16);

vec3 to_linear(vec3 colour) { return pow(colour, vec3(2.2)); }

vec3 to_screen(vec3 light) {
    // Bright colours are compressed instead of clipped, all channels by the same factor, which keeps the hue.
    light *= 0.86;
    float brightest = max(light.r, max(light.g, light.b));
    float bent = 0.55 + 0.45 * (1.0 - exp((0.55 - brightest) / 0.45));
    light *= brightest > 0.55 ? bent / brightest : 1.0;
    return pow(light, vec3(1.0 / 2.2));
}

vec3 lit(vec3 colour, vec3 normal, float sunshine, float openness) {
    vec3 direct = sun_colour * max(dot(normal, sun), 0.0) * sunshine;
    vec3 diffuse = mix(BOUNCE, sky_colour, 0.5 + 0.5 * normal.z) * openness;
    return colour * (direct + diffuse);
}
"""

COVER = """
uniform sampler2D cover;
uniform vec2 cover_tiles;
uniform float has_cover;

bool has_patch(vec2 place) {
    vec2 tile = clamp(floor(place * cover_tiles), vec2(0.0), vec2(textureSize(cover, 0)) - 1.0);
    return texelFetch(cover, ivec2(tile), 0).r > 0.5;
}

// Whether finer land is drawn at a place. Both are drawn along its border, where they are the same: without that, some
// pixels would belong to neither.
bool is_covered(vec2 place) {
    vec2 rim = 1.5 * fwidth(place);
    if (has_cover < 0.5) return false;
    return has_patch(place - rim) && has_patch(place + rim) && has_patch(place + vec2(rim.x, -rim.y))
        && has_patch(place + vec2(-rim.x, rim.y));
}
"""

AIR = """
uniform vec3 sun_direction;
uniform vec3 zenith;
uniform vec3 horizon;
uniform vec3 far_horizon;
uniform vec3 nadir;

// The horizon in a level direction of any length: warmer towards the sun.
vec3 horizon_at(vec2 towards) {
    float facing = dot(towards, sun_direction.xy) / max(length(towards) * length(sun_direction.xy), 1e-6);
    return mix(far_horizon, horizon, 0.5 + 0.5 * facing);
}

vec3 air(vec3 look) {
    vec3 level = horizon_at(look.xy);
    float rise = clamp(look.z, 0.0, 1.0);
    vec3 colour = look.z > 0.0
        ? mix(zenith, level, exp(-pow(rise / 0.2, 1.5)))
        : mix(level, nadir, smoothstep(0.0, 0.6, -look.z));
    float near_sun = max(dot(look, sun_direction), 0.0);
    float glow = 0.22 * pow(near_sun, 12.0) + 0.6 * smoothstep(0.99985, 0.99993, near_sun);
    return mix(colour, vec3(1.0, 0.97, 0.90), look.z > 0.0 ? glow : glow * exp(8.0 * look.z));
}
"""

HAZE = """
uniform vec3 eye;
uniform float haze;
uniform float haze_start;

// Colour of the haze before a point, and how much of the point it hides.
vec4 haze_before(vec3 at) {
    float away = max(distance(eye, at) - haze_start, 0.0);
    return vec4(horizon_at(at.xy - eye.xy), 1.0 - exp(-away * haze));
}
"""

# The upper edge of the walls must be the border of the surface, bit for bit, or there are cracks between them.
EXACT = "invariant gl_Position;\n"
