sed -i 's/^3:.*/3: a/' ~/answers.txt
