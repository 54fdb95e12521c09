"""The way of one person through a pilot, a module a step. Steps flush and never call each other; the edge commits."""
