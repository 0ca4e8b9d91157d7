printf '1: a\n2: d\n3: a\n' > ~/answers.txt
