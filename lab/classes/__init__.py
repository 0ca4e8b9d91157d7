"""A class on a cluster: a seat for each student, which member it is on, and what the student gets of it on paper."""
