"""Device, threads and precision of the process."""
