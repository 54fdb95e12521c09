# Reliability of the seven ratings of 30 departments in R's own data set `attitude` (Chatterjee and Price, 1977), with
# base R only: `Rscript reliability.R > reliability.json`. The manual of the package psych prints for the same data
# raw_alpha 0.84. The loadings of omega are those of unweighted least squares on the correlations.
a <- as.matrix(attitude)
k <- ncol(a)
V <- cov(a)
alpha <- k / (k - 1) * (1 - sum(diag(V)) / sum(V))
R <- cor(a)
misfit <- function(l) { D <- R - tcrossprod(l); sum(D[lower.tri(D)]^2) }
found <- list(par = rep(0.6, k))
for (i in 1:8) found <- optim(found$par, misfit, method = "BFGS", control = list(reltol = 1e-16, maxit = 5000))
l <- found$par * sqrt(diag(V))
omega <- sum(l)^2 / (sum(l)^2 + sum(diag(V) - l^2))
rows <- apply(a, 1, function(row) paste0("[", paste(row, collapse = ", "), "]"))
cat("{\n \"alpha\": ", sprintf("%.10f", alpha), ",\n \"omega\": ", sprintf("%.8f", omega), ",\n \"answers\": [\n  ",
    paste(rows, collapse = ",\n  "), "\n ]\n}\n", sep = "")
