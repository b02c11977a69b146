"""Files in object stores and behind HTTP: paths, ranged reading, retries, and local scratch for what is written."""
