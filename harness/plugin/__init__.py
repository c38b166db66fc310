"""The pytest plugins: cases as tests, and recording in tests of your own."""
