"""What tools/measure_performance.py is made of: jobs, machine, results, targets, plots, the page."""
