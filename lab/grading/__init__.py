"""Grades: what a student hands in, how far it can be believed, and what a teacher makes of a class of them.

grade.py       what one student has reached, as a value
signing.py     the student's key, the card's proof, and the hand-in file that carries both
reading.py     somebody else's hand-in, read as hostile input
classroom.py   a course's secret, its roster and the students' cards
pinning.py     which key belongs to which student, from the first hand-in on
collect.py     the hand-ins of a folder, with what is wrong with each
gradebook.py, junit.py, page.py    a collection as CSV, JSON, JUnit XML and one HTML page
replay.py      a student's files on clean machines, marked with the teacher's own checks
"""
