"""What people find in the portal: training, funding and other help."""
