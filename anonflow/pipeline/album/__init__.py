"""Albums: pictures that go through the stages together, each of which ends by itself."""
