printf 'lost: 0\nserves: zero\nretried: 0\n' >~/answers.txt
