# What the package psych says of scales and their items: `Rscript items.R > items.json` (psych 2.2.9, GPLv2 or later; its
# output only). `attitude` is R's own data set (Chatterjee and Price, 1977); the others are made up here: five answers
# to three items, yes and no (where alpha is Kuder and Richardson's formula 20), and an item that goes the other way.
suppressMessages(library(psych))
sets <- list(
  attitude = as.matrix(attitude),
  three = matrix(c(1, 2, 2, 2, 2, 3, 3, 4, 3, 4, 4, 5, 5, 5, 4), byrow = TRUE, ncol = 3),
  two = matrix(c(1, 2, 2, 1, 3, 4, 4, 4, 5, 3, 2, 2), byrow = TRUE, ncol = 2),
  yes_no = matrix(c(1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 1, 1, 1, 0, 1, 0, 1, 1, 0, 1, 0, 1), byrow = TRUE, ncol = 4),
  opposed = matrix(c(1, 2, 5, 2, 2, 4, 3, 4, 4, 4, 4, 2, 5, 5, 1, 3, 2, 3), byrow = TRUE, ncol = 3)
)
numbers <- function(x) paste0("[", paste(sprintf("%.12g", x), collapse = ", "), "]")
one <- function(m) {
  a <- suppressWarnings(suppressMessages(alpha(as.data.frame(m), check.keys = FALSE, warnings = FALSE)))
  ci <- alpha.ci(a$total$raw_alpha, n.obs = nrow(m), n.var = ncol(m))
  dropped <- if (ncol(m) > 2) numbers(a$alpha.drop$raw_alpha) else "null"
  rows <- apply(m, 1, numbers)
  sprintf("{\"answers\": [%s],\n  \"alpha\": %.12g, \"standardized\": %.12g, \"interval\": %s,\n  \"rest\": %s,\n  \"without\": %s}",
          paste(rows, collapse = ", "), a$total$raw_alpha, a$total$std.alpha,
          numbers(c(ci$lower.ci, ci$upper.ci)), numbers(a$item.stats$r.drop), dropped)
}
found <- vapply(sets, one, "")
cat("{\n", paste(sprintf(" \"%s\": %s", names(sets), found), collapse = ",\n"), "\n}\n", sep = "")
