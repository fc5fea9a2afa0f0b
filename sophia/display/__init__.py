"""What people see of a run: live lines on a terminal, plain lines on a pipe, the review, the summary, errors."""
