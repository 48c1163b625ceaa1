# SPDX-License-Identifier: MIT
# Imports what the preset godot-terrain3d of TerrainPaint writes, into the open scene of Godot 4.
#
# Copy NAME_height.exr, NAME_height.exr.json, NAME_control.exr and NAME_albedo.png into a folder of
# the project, set FOLDER and NAME, open this script and choose File > Run. With the add-on
# Terrain3D it makes a Terrain3D node, without it a mesh with the texture and a body with the same
# heights for physics. A node of the same name is replaced.
@tool
extends EditorScript

const FOLDER := "res://terrain"
const NAME := "map"
## Pixels of the height map that make one step of the mesh. Terrain3D always uses all of them.
const MESH_STEP := 2


func _run() -> void:
	var root := get_scene()
	if root == null:
		push_error("Open a scene first: the terrain becomes a child of its root.")
		return
	var facts := read_facts(FOLDER.path_join(NAME + "_height.exr.json"))
	var heights := read_image(FOLDER.path_join(NAME + "_height.exr"))
	var albedo := read_image(FOLDER.path_join(NAME + "_albedo.png"))
	if facts.is_empty() or heights == null or albedo == null:
		return
	var terrain: Node3D
	if ClassDB.class_exists("Terrain3D"):
		terrain = make_terrain3d(root, facts, heights, albedo)
	else:
		terrain = make_mesh(facts, heights, albedo)
		add(root, terrain)
	var size := heights.get_size()
	print("%s: %d x %d pixels of %s m" % [terrain.name, size.x, size.y, facts["pixel_size_m"]])


## The numbers of the JSON file, empty when it cannot be read.
func read_facts(path: String) -> Dictionary:
	var read: Variant = JSON.parse_string(FileAccess.get_file_as_string(path))
	if not read is Dictionary or not read.has("pixel_size_m"):
		push_error("%s is missing or is no JSON of TerrainPaint." % path)
		return {}
	return read


## A picture as it is in the file, not as Godot imported it, which can compress it.
func read_image(path: String) -> Image:
	var image := Image.load_from_file(ProjectSettings.globalize_path(path))
	if image == null or image.is_empty():
		push_error("%s is missing or is no picture." % path)
		return null
	return image


func make_terrain3d(root: Node, facts: Dictionary, heights: Image, albedo: Image) -> Node3D:
	var terrain: Node3D = ClassDB.instantiate("Terrain3D")
	terrain.name = NAME
	add(root, terrain)
	var folder := FOLDER.path_join(NAME + "_regions")
	DirAccess.make_dir_recursive_absolute(folder)
	terrain.set("data_directory", folder)
	# Terrain3D takes 0.25 to 100 m; land with larger pixels becomes a model of itself, with heights to scale.
	var pixel_m := float(facts["pixel_size_m"])
	var spacing := clampf(pixel_m, 0.25, 100.0)
	if spacing != pixel_m:
		push_warning("%s is imported at a scale of %f, because its pixels are %f m wide." % [NAME, spacing / pixel_m, pixel_m])
	terrain.set("vertex_spacing", spacing)
	heights.convert(Image.FORMAT_RF)
	albedo.convert(Image.FORMAT_RGBA8)
	var control: Image = null
	if FileAccess.file_exists(FOLDER.path_join(NAME + "_control.exr")):
		control = read_image(FOLDER.path_join(NAME + "_control.exr"))
		control.convert(Image.FORMAT_RF)
	# The alpha of the colour map is roughness; a half of it changes nothing.
	for y in albedo.get_height():
		for x in albedo.get_width():
			var colour := albedo.get_pixel(x, y)
			colour.a = 0.5
			albedo.set_pixel(x, y, colour)
	var images: Array[Image] = [heights, control, albedo]
	var size := Vector3(heights.get_width(), 0.0, heights.get_height()) * spacing
	terrain.get("data").call("import_images", images, -size / 2.0, 0.0, spacing / pixel_m)
	terrain.get("data").call("save_directory", folder)
	return terrain


## A mesh whose centre is the origin, with x to the east and z to the south, in metres.
func make_mesh(facts: Dictionary, heights: Image, albedo: Image) -> Node3D:
	var spacing := float(facts["pixel_size_m"])
	var cols := (heights.get_width() - 1) / MESH_STEP + 1
	var rows := (heights.get_height() - 1) / MESH_STEP + 1
	var west := -(heights.get_width() - 1) * spacing / 2.0
	var north := -(heights.get_height() - 1) * spacing / 2.0
	var surface := SurfaceTool.new()
	surface.begin(Mesh.PRIMITIVE_TRIANGLES)
	for row in rows:
		for col in cols:
			var x := col * MESH_STEP
			var y := row * MESH_STEP
			var place := Vector2(x + 0.5, y + 0.5)
			surface.set_uv(place / Vector2(heights.get_size()))
			var height := heights.get_pixel(x, y).r
			surface.add_vertex(Vector3(west + x * spacing, height, north + y * spacing))
	for row in rows - 1:
		for col in cols - 1:
			var corner := row * cols + col
			# Front faces of Godot are clockwise.
			var below := corner + cols
			for index in [corner, corner + 1, below, corner + 1, below + 1, below]:
				surface.add_index(index)
	surface.generate_normals()
	var material := StandardMaterial3D.new()
	material.albedo_texture = ImageTexture.create_from_image(albedo)
	material.roughness = 1.0
	var shown := MeshInstance3D.new()
	shown.name = NAME
	shown.mesh = surface.commit()
	shown.material_override = material
	shown.add_child(make_body(heights, spacing))
	return shown


func make_body(heights: Image, spacing: float) -> StaticBody3D:
	var shape := HeightMapShape3D.new()
	shape.map_width = heights.get_width()
	shape.map_depth = heights.get_height()
	var data := PackedFloat32Array()
	data.resize(heights.get_width() * heights.get_height())
	for y in heights.get_height():
		for x in heights.get_width():
			# Its points are one metre apart, so the shape is scaled as a whole.
			data[y * heights.get_width() + x] = heights.get_pixel(x, y).r / spacing
	shape.map_data = data
	var collision := CollisionShape3D.new()
	collision.name = "Heights"
	collision.shape = shape
	collision.scale = Vector3.ONE * spacing
	var body := StaticBody3D.new()
	body.name = "Body"
	body.add_child(collision)
	return body


## Put a node under the root in place of one of the same name; the scene owns it and all below.
func add(root: Node, node: Node) -> void:
	var old := root.get_node_or_null(NodePath(NAME))
	if old != null:
		root.remove_child(old)
		old.queue_free()
	root.add_child(node)
	node.owner = root
	for child in node.find_children("*", "", true, false):
		child.owner = root
