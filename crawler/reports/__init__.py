"""What people and monitoring read about runs."""
