"""The pytest plugins: cases as tests, and recording of one's own tests."""
