"""What may be written in YAML: its models, the condition language, time words, places in files."""
