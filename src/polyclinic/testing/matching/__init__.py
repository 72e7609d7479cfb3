"""Random resources and random searches of small pools of values, so that matches are frequent."""
