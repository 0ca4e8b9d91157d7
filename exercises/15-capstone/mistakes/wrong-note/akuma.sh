printf '1: akuma process\n2: akuma network\n3: zero process\n' > ~/incident.txt
