"""What a task of the care Dags does: one operator a file, thin, around `carewatch.flow`."""
