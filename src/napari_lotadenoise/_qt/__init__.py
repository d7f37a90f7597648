"""The napari face. The only folder that imports napari, magicgui, qtpy, superqt or pyqtgraph."""
