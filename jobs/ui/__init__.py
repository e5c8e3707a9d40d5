"""What people type and read, the same for every verb: videos by name, tables, times, commands to copy."""
