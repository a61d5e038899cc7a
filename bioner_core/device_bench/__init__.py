"""The bench of a device: is it right, how fast is it, how does it train. One command for whoever rents a GPU."""
