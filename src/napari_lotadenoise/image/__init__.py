"""Arrays with named axes: read in blocks, checked, combined. Nothing outside this room touches axes."""
