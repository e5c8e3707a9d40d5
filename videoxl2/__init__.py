"""The Video-XL-2 model and the frame reader. Importing this package loads neither torch nor PyAV."""
