"""The model graph: catalog, header, compile, graph, runner, warehouse, lake. It knows no finance."""
