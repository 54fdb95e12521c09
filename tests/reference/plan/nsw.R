# The primary estimates of the plan with fingerprint e256599f0a14766f57ee677f3742a6321e479924e4906db4be0eacf4ae3a81f8,
# made again in R. Run it with the file of the data behind its name: Rscript primary.R nsw.csv

# ---- reading -------------------------------------------------------------------------------------------------------
options(digits = 15, warn = 1)

read_people <- function(file) {
  header <- sub("^\ufeff", "", readLines(file, 1, encoding = "UTF-8"))
  european <- lengths(regmatches(header, gregexpr(";", header))) > lengths(regmatches(header, gregexpr(",", header)))
  people <- read.table(file, header = TRUE, sep = if (european) ";" else ",", quote = "\"", comment.char = "",
                       colClasses = "character", check.names = FALSE, strip.white = TRUE, fileEncoding = "UTF-8-BOM",
                       na.strings = c("", "NA", "NaN", "nan", "None", "null", "NULL", "N/A", "n/a", "<NA>"))
  if (european) people[] <- lapply(people, decimal_points)
  people
}

decimal_points <- function(x) {
  y <- sub(",", ".", x, fixed = TRUE)
  if (all(is.na(x) | !is.na(suppressWarnings(as.numeric(y))))) y else x
}

as_number <- function(x) {
  words <- tolower(x)
  if (all(is.na(x) | words %in% c("true", "false"))) return(ifelse(is.na(x), NA, as.numeric(words == "true")))
  suppressWarnings(as.numeric(x))
}

yes_no <- function(x) {
  words <- tolower(trimws(x))
  as_number(ifelse(words %in% c("yes", "ja", "true"), "1", ifelse(words %in% c("no", "nee", "false"), "0", x)))
}

is_number <- function(x) all(is.na(x) | !is.na(as_number(x)))

as_label <- function(x) {
  number <- suppressWarnings(as.numeric(x))
  if (!anyNA(number) && all(number == round(number))) format(number, scientific = FALSE, trim = TRUE) else x
}

stratum_of <- function(people, columns) {
  if (length(columns) == 0) return(rep("all", nrow(people)))
  do.call(paste, c(lapply(columns, function(column) as_label(people[[column]])), sep = "|"))
}

# ---- covariates: numbers as they are, labels as indicators, an indicator for a missing number -----------------------
encode <- function(people, columns) {
  X <- matrix(numeric(0), nrow(people), 0)
  for (column in columns) {
    raw <- people[[column]]
    if (is_number(raw)) {
      x <- as_number(raw)
      absent <- is.na(x)
      if (all(absent)) next
      x[absent] <- mean(x[!absent])
      X <- cbind(X, x, as.numeric(absent))
    } else {
      raw[is.na(raw)] <- "(missing)"
      for (level in sort(unique(raw), method = "radix")[-1]) X <- cbind(X, as.numeric(raw == level))
    }
  }
  X[, apply(X, 2, function(x) max(x) > min(x)), drop = FALSE]
}

differing <- function(x) length(x) - max(table(x))

informative <- function(X, t) {
  keep <- apply(X, 2, function(x) differing(x[t == 1]) >= 2 && differing(x[t == 0]) >= 2)
  X[, if (ncol(X)) keep else logical(0), drop = FALSE]
}

# ---- strata that are too thin are put together, then joined to the smallest others until they are thick enough ------
pool_sparse <- function(s, t, minimum, cluster) {
  units <- data.frame(s = s, t = t)
  if (!is.null(cluster)) units <- units[!duplicated(data.frame(s, t, cluster)), ]
  names_of <- sort(unique(s), method = "radix")
  counts <- cbind(sapply(names_of, function(n) sum(units$s == n & units$t == 0)),
                  sapply(names_of, function(n) sum(units$s == n & units$t == 1)))
  thin <- names_of[apply(counts < minimum, 1, any)]
  if (length(thin) == 0) return(s)
  rest <- setdiff(names_of, thin)
  rest <- rest[order(rowSums(counts)[match(rest, names_of)])]
  while (any(colSums(counts[names_of %in% thin, , drop = FALSE]) < minimum) && length(rest)) {
    thin <- c(thin, rest[1])
    rest <- rest[-1]
  }
  ifelse(s %in% thin, paste(thin, collapse = " + "), s)
}

# ---- estimators ----------------------------------------------------------------------------------------------------
have_estimatr <- requireNamespace("estimatr", quietly = TRUE)

inverse_root <- function(M) {
  e <- eigen(M, symmetric = TRUE)
  keep <- e$values > 1e-10
  e$vectors[, keep, drop = FALSE] %*% (t(e$vectors[, keep, drop = FALSE]) / sqrt(e$values[keep]))
}

# With `real` the rows of X are fitted by a first stage, and the residuals are those of the real regressors.
least_squares <- function(X, y, place, weights = NULL, cluster = NULL, real = NULL) {
  if (have_estimatr && is.null(weights) && is.null(real)) {
    fit <- estimatr::lm_robust(y ~ 0 + X, se_type = if (is.null(cluster)) "HC2" else "CR2", clusters = cluster)
    return(c(unname(fit$coefficients[place]), unname(fit$std.error[place]), unname(fit$df[place])))
  }
  root <- if (is.null(weights)) rep(1, length(y)) else sqrt(weights)
  scale <- sqrt(colSums((X * root)^2))
  Z <- sweep(X * root, 2, scale, "/")
  independent <- qr(Z)
  keep <- sort(independent$pivot[seq_len(independent$rank)])
  Z <- Z[, keep, drop = FALSE]
  scale <- scale[keep]
  place <- match(place, keep)
  if (!is.null(real)) real <- real[, keep, drop = FALSE]
  bread <- solve(crossprod(Z))
  b <- bread %*% crossprod(Z, y * root)
  e <- as.vector(y * root - (if (is.null(real)) Z else sweep(real * root, 2, scale, "/")) %*% b)
  df <- nrow(Z) - ncol(Z)
  if (is.null(cluster)) {
    h <- rowSums((Z %*% bread) * Z)
    meat <- crossprod(Z * (e / sqrt(1 - h)))
  } else {
    groups <- unique(cluster)
    meat <- matrix(0, ncol(Z), ncol(Z))
    sizes <- numeric(length(groups))
    pulls <- matrix(0, ncol(Z), length(groups))
    for (i in seq_along(groups)) {
      rows <- cluster == groups[i]
      Zg <- Z[rows, , drop = FALSE]
      root_g <- inverse_root(diag(sum(rows)) - Zg %*% bread %*% t(Zg))
      score <- t(Zg) %*% root_g %*% e[rows]
      meat <- meat + score %*% t(score)
      p <- root_g %*% Zg %*% bread[, place]
      sizes[i] <- sum(p^2)
      pulls[, i] <- t(Zg) %*% p
    }
    # Satterthwaite's degrees of freedom: Bell and McCaffrey (2002), Survey Methodology 28
    M <- diag(sizes, length(sizes)) - t(pulls) %*% bread %*% pulls
    df <- sum(diag(M))^2 / sum(M^2)
  }
  V <- bread %*% meat %*% bread
  se <- if (!is.null(weights) && !is.null(cluster)) NA else sqrt(V[place, place]) / scale[place]
  c(b[place] / scale[place], se, df)
}

indicators <- function(s) {
  levels <- sort(unique(s), method = "radix")[-1]
  matrix(as.numeric(outer(s, levels, "==")), length(s))
}

lin <- function(y, t, C, weights = NULL, cluster = NULL) {
  C <- sweep(C, 2, if (is.null(weights)) colMeans(C) else colSums(C * weights) / sum(weights))
  least_squares(cbind(1, t, C, t * C), y, 2, weights, cluster)
}

two_stage <- function(y, d, t, C, weights = NULL, cluster = NULL) {
  root <- if (is.null(weights)) rep(1, length(y)) else sqrt(weights)
  first <- qr(cbind(1, t, C) * root)
  least_squares(cbind(1, qr.fitted(first, d * root) / root, C), y, 2, weights, cluster, real = cbind(1, d, C))
}

difference <- function(y, t, cluster = NULL) {
  if (!is.null(cluster)) return(least_squares(cbind(1, t), y, 2, NULL, cluster))
  v <- c(var(y[t == 1]) / sum(t == 1), var(y[t == 0]) / sum(t == 0))
  c(mean(y[t == 1]) - mean(y[t == 0]), sqrt(sum(v)), sum(v)^2 / sum(v^2 / (c(sum(t == 1), sum(t == 0)) - 1)))
}

blocked <- function(y, t, s, cluster = NULL) {
  total <- c(0, 0)
  for (b in unique(s)) {
    rows <- s == b
    part <- difference(y[rows], t[rows], if (is.null(cluster)) NULL else cluster[rows])
    total <- total + c(part[1] * mean(rows), (part[2] * mean(rows))^2)
  }
  units <- if (is.null(cluster)) length(y) else length(unique(cluster))
  c(total[1], sqrt(total[2]), units - 2 * length(unique(s)))
}

paired <- function(y, t, pair, X = NULL) {
  ones <- which(t == 1)
  zeros <- match(pair[ones], ifelse(t == 0, pair, NA))
  d <- y[ones] - y[zeros]
  if (is.null(X) || ncol(X) == 0) return(c(mean(d), sd(d) / sqrt(length(d)), length(d) - 1))
  D <- X[ones, , drop = FALSE] - X[zeros, , drop = FALSE]
  M <- (X[ones, , drop = FALSE] + X[zeros, , drop = FALSE]) / 2
  R <- cbind(D, sweep(M, 2, colMeans(M)))
  R <- R[, apply(R, 2, function(x) max(x) - min(x) > 1e-12), drop = FALSE]
  least_squares(cbind(1, R), d, 1)
}

# ---- times to an event: Kaplan-Meier, pseudo-values, hazards (Cox needs the package survival, which R brings) --------
restricted_mean <- function(time, event, horizon) {
  times <- sort(unique(time[event == 1 & time < horizon]))
  if (length(times) == 0) return(c(horizon, 0))
  risk <- colSums(outer(time, times, ">="))
  dead <- colSums(outer(time, times, "==") & event == 1)
  areas <- cumprod(1 - dead / risk) * diff(c(times, horizon))
  after <- rev(cumsum(rev(areas)))
  c(times[1] + sum(areas), sum(ifelse(risk > dead, after^2 * dead / (risk * (risk - dead)), 0)))
}

pseudo_values <- function(time, event, horizon) {
  n <- length(time)
  without <- sapply(seq_len(n), function(i) restricted_mean(time[-i], event[-i], horizon)[1])
  n * restricted_mean(time, event, horizon)[1] - (n - 1) * without
}

mean_times <- function(time, event, t, horizon) {
  parts <- lapply(1:0, function(side) restricted_mean(time[t == side], event[t == side], horizon))
  c(parts[[1]][1] - parts[[2]][1], sqrt(parts[[1]][2] + parts[[2]][2]), Inf)
}

log_rank <- function(time, event, t, s) {
  gap <- c(0, 0)
  for (b in unique(s)) for (u in unique(time[s == b & event == 1])) {
    at_risk <- s == b & time >= u
    n <- sum(at_risk)
    d <- sum(at_risk & time == u & event == 1)
    share <- mean(t[at_risk])
    gap <- gap + c(sum(t[at_risk & time == u & event == 1]) - d * share,
                   if (n > 1) d * (n - d) / (n - 1) * share * (1 - share) else 0)
  }
  c(exp(gap[1] / gap[2]), 1 / sqrt(gap[2]), Inf)
}

cox <- function(time, event, t, s, g, X) {
  if (!requireNamespace("survival", quietly = TRUE)) return(c(NA, NA, NA))
  people <- data.frame(time, event, t, s)
  if (ncol(X)) people <- cbind(people, setNames(as.data.frame(X), paste0("x", seq_len(ncol(X)))))
  right <- c("t", grep("^x", names(people), value = TRUE), if (length(unique(s)) > 1) "strata(s)")
  strata <- survival::strata
  formula <- as.formula(paste("survival::Surv(time, event) ~", paste(right, collapse = " + ")))
  if (is.null(g)) {
    fit <- survival::coxph(formula, people, control = survival::coxph.control(eps = 1e-11, iter.max = 100))
    return(c(exp(coef(fit)[["t"]]), sqrt(vcov(fit)["t", "t"]), Inf))
  }
  people$g <- g
  fit <- survival::coxph(formula, people, cluster = g, control = survival::coxph.control(eps = 1e-11, iter.max = 100))
  G <- length(unique(g))
  c(exp(coef(fit)[["t"]]), sqrt(vcov(fit)["t", "t"] * G / (G - 1)), G - 2)
}

# ---- one contrast of one outcome -----------------------------------------------------------------------------------
response_weights <- function(arm, seen, X) {
  w <- rep(0, length(arm))
  for (a in unique(arm)) {
    rows <- arm == a
    chance <- rep(1, sum(rows))
    if (!all(seen[rows])) {
      model <- if (ncol(X)) cbind(1, X[rows, , drop = FALSE]) else matrix(1, sum(rows), 1)
      control <- glm.control(epsilon = 1e-14, maxit = 100)
      chance <- glm.fit(model, as.numeric(seen[rows]), family = binomial(), control = control)$fitted.values
    }
    w[rows] <- ifelse(seen[rows], 1 / chance, 0)
  }
  w
}

contrast <- function(people, plan, outcome, treated, comparison) {
  arm <- as_label(people[[plan$arm]])
  y <- if (outcome$kind == "binary") yes_no(people[[outcome$column]]) else as_number(people[[outcome$column]])
  if (outcome$summary == "share_above_zero") y <- as.numeric(y > 0)
  seen <- !is.na(y)
  timed <- outcome$kind == "time_to_event"
  if (timed) {
    time <- y
    event <- yes_no(people[[outcome$event]])
    seen <- seen & !is.na(event)
    y[!seen] <- NA
    if (outcome$summary == "rmst_difference") for (a in unique(arm)) {
      rows <- seen & arm == a
      y[rows] <- pseudo_values(time[rows], event[rows], outcome$horizon)
    }
  }
  weights <- NULL
  if (outcome$handling == "inverse_probability" && !all(seen)) {
    weights <- response_weights(arm, seen, encode(people, plan$response_covariates))
  }
  use <- arm %in% c(treated, comparison)
  if (outcome$handling == "zero") y[!seen] <- 0
  if (outcome$handling == "worst_case") {
    y[!seen & arm == treated] <- outcome$bad
    y[!seen & arm == comparison] <- outcome$good
  }
  use <- use & !is.na(y)
  if (!is.null(plan$probability)) {
    weights <- (if (is.null(weights)) 1 else weights) / as_number(people[[plan$probability]])
  }
  cluster <- clusters_of(people, plan, arm)
  pair <- if (!is.null(plan$pairs)) as_label(people[[plan$pairs]]) else NULL
  if (!is.null(pair) && plan$drop_broken_pairs) use <- use & pair %in% names(which(table(pair[use]) == 2))
  t <- as.numeric(arm[use] == treated)
  X <- informative(encode(people, plan$adjust)[use, , drop = FALSE], t)
  w <- if (is.null(weights)) NULL else weights[use]
  g <- if (is.null(cluster)) NULL else cluster[use]
  s <- pool_sparse(stratum_of(people, plan$strata)[use], t, plan$sparse_minimum, g)
  plain <- length(unique(s)) == 1 && is.null(pair) && is.null(w) && is.null(g)
  if (timed && outcome$summary == "rmst_difference" && plain) {
    return(rbind(unadjusted = mean_times(time[use], event[use], t, outcome$horizon),
                 adjusted = adjusted(y[use], t, s, NULL, w, g, X, plan)))
  }
  if (timed && outcome$summary != "rmst_difference") {
    apart <- if (!is.null(pair) && plan$drop_broken_pairs) pair[use] else s
    if (outcome$summary == "log_rank") {
      return(rbind(unadjusted = log_rank(time[use], event[use], t, apart), adjusted = c(NA, NA, NA)))
    }
    none <- X[, 0, drop = FALSE]
    without <- ncol(X) == 0 || plan$estimator == "difference_in_means"
    return(rbind(unadjusted = cox(time[use], event[use], t, apart, g, none),
                 adjusted = if (without) c(NA, NA, NA) else cox(time[use], event[use], t, apart, g, X)))
  }
  rbind(unadjusted = unadjusted(y[use], t, s, pair[use], w, g, plan),
        adjusted = adjusted(y[use], t, s, pair[use], w, g, X, plan),
        if (paste(treated, comparison, sep = " - ") %in% plan$compliers)
          rbind(complier = complier(y[use], as_number(people[[plan$take_up]])[use], t, s, w, g, X, plan)))
}

# the effect on those who take the offer up because it was made: the offer is the instrument for take-up
complier <- function(y, d, t, s, w, g, X, plan) {
  known <- !is.na(d)
  C <- if (plan$headline == "adjusted") X else X[, 0, drop = FALSE]
  if (length(unique(s)) > 1) C <- cbind(C, indicators(s[known])[match(seq_along(s), which(known)), , drop = FALSE])
  two_stage(y[known], d[known], t[known], C[known, , drop = FALSE], if (is.null(w)) NULL else w[known],
            if (is.null(g)) NULL else g[known])
}

clusters_of <- function(people, plan, arm) {
  if (!is.null(plan$clusters)) return(as_label(people[[plan$clusters]]))
  if (is.null(plan$advisors)) return(NULL)
  advisor <- people[[plan$advisors]]
  ifelse(!is.na(advisor) & arm %in% plan$advised, paste("advisor", advisor), paste("alone", seq_along(arm)))
}

unadjusted <- function(y, t, s, pair, w, g, plan) {
  several <- length(unique(s)) > 1
  if (!is.null(w) || (several && !is.null(g) && !plan$whole_groups)) {
    if (several) return(lin(y, t, indicators(s), w, g))
    return(least_squares(cbind(1, t), y, 2, w, g))
  }
  if (!is.null(pair) && plan$drop_broken_pairs) return(paired(y, t, pair))
  if (several) blocked(y, t, s, g) else difference(y, t, g)
}

adjusted <- function(y, t, s, pair, w, g, X, plan) {
  if (ncol(X) == 0 || plan$estimator == "difference_in_means") return(c(NA, NA, NA))
  if (!is.null(pair) && plan$drop_broken_pairs) return(paired(y, t, pair, X))
  C <- if (length(unique(s)) > 1) cbind(X, indicators(s)) else X
  if (plan$estimator == "ancova") least_squares(cbind(1, t, C), y, 2, w, g) else lin(y, t, C, w, g)
}

# ---- intervals at the level of the plan or of the look; of a ratio they are symmetric in its logarithm ---------------
interval <- function(found, ratio, alpha) {
  half <- suppressWarnings(qt(1 - alpha / 2, found[, 3])) * found[, 2]
  if (ratio) cbind(found[, 1] * exp(-half), found[, 1] * exp(half)) else cbind(found[, 1] - half, found[, 1] + half)
}

# ---- everything that the plan registered ---------------------------------------------------------------------------
reproduce <- function(people, plan) {
  rows <- list()
  for (outcome in plan$outcomes) {
    for (pair in c(plan$contrasts, plan$secondary_contrasts)) {
      found <- contrast(people, plan, outcome, pair[1], pair[2])
      ends <- interval(found, outcome$summary %in% c("hazard_ratio", "log_rank"), plan$alpha)
      outside <- list(pair) %in% plan$secondary_contrasts
      rows[[length(rows) + 1]] <- data.frame(outcome = outcome$name, treated = pair[1], comparison = pair[2],
                                             family = if (outside) "outside the sized family" else "confirmatory",
                                             result = rownames(found), estimate = found[, 1], se = found[, 2],
                                             low = ends[, 1], high = ends[, 2], level = 1 - plan$alpha)
    }
  }
  do.call(rbind, rows)
}

# ---- the choices of the locked plan ----------------------------------------------------------------------------------
plan <- list(
  alpha = 0.05,
  arm = "arm",
  estimator = "lin",
  adjust = c("age", "educ", "black", "hisp", "marr", "nodegree", "re74", "re75"),
  response_covariates = c("age", "educ", "black", "hisp", "marr", "nodegree", "re74", "re75"),
  strata = character(0),
  sparse_minimum = 2,
  whole_groups = FALSE,
  drop_broken_pairs = TRUE,
  advised = character(0),
  contrasts = list(c("training", "control")),
  outcomes = list(list(name = "earnings_1978", column = "re78", kind = "earnings", summary = "mean_difference", handling = "complete_cases"))
)

arguments <- commandArgs(trailingOnly = TRUE)
file <- if (length(arguments)) arguments[[1]] else "nsw.csv"
found <- reproduce(read_people(file), plan)
write.csv(found, row.names = FALSE, quote = TRUE)
