"""Reading, masking, writing and checking of still pictures. Only this package imports Pillow and jpeglib."""
