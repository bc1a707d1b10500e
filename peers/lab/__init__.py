"""Everything that needs Docker: engine, images, networks, guest kernel, capture."""
