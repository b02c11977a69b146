"""From detections to whole tracks and to what must be hidden."""
