"""Files, threads, processes and progress. For every room."""
