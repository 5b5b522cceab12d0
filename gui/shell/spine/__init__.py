"""The spine: the bar at the top of the window with the choosers, the goal, Run, and the run that is shown. It never moves."""
