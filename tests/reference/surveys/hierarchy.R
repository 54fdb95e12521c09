# Omega hierarchical and total of psych 2.2.9 with three factors (minres, oblimin) on made-up answers:
# `Rscript hierarchy.R > hierarchy.json`. Nine items in three parts, answers from 1 to 7, 60 people.
suppressMessages(library(psych))
set.seed(20261128)
n <- 60
g <- rnorm(n)
parts <- sapply(1:3, function(i) rnorm(n))
raw <- sapply(1:9, function(j) 0.9 * g + 0.8 * parts[, (j - 1) %/% 3 + 1] + rnorm(n))
m <- matrix(pmin(7, pmax(1, round(4 + 1.2 * raw))), nrow = n)
o <- suppressWarnings(suppressMessages(omega(as.data.frame(m), 3, plot = FALSE)))
rows <- apply(m, 1, function(row) paste0("[", paste(row, collapse = ", "), "]"))
cat("{\n \"hierarchical\": ", sprintf("%.8f", o$omega_h), ",\n \"total\": ", sprintf("%.8f", o$omega.tot),
    ",\n \"general\": [", paste(sprintf("%.8f", o$schmid$sl[, 1]), collapse = ", "), "],\n \"answers\": [\n  ",
    paste(rows, collapse = ",\n  "), "\n ]\n}\n", sep = "")
