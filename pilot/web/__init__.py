"""The pages: one blueprint a persona. A view finds, does and shows; it decides nothing and never commits."""
