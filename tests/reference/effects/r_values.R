# Reference values from R: estimatr, clubSandwich, survival, MASS, sandwich, quantreg, metafor, multcomp.
# Rscript r_values.R FOLDER_WITH_TABLES r_values.json; the tables are written by make_data.py.
suppressMessages({
  library(estimatr); library(clubSandwich); library(sandwich); library(survival); library(MASS); library(quantreg)
  library(metafor); library(multcomp); library(jsonlite)
})
arguments <- commandArgs(trailingOnly = TRUE)
table_of <- function(name) read.csv(file.path(arguments[1], paste0(name, ".csv")), na.strings = c("", "NA"))
out <- list()
put <- function(id, values) out[[id]] <<- unname(as.numeric(values))
terms_of <- function(id, f, wanted) for (term in wanted) {
  i <- match(term, f$term)
  put(paste(id, term, sep = " | "), c(f$coefficients[i], f$std.error[i], f$df[i], f$p.value[i]))
}
mean_of <- function(id, f) put(id, c(f$coefficients, f$std.error, f$df, f$p.value))

star <- table_of("star")
star$score <- star$mathk + star$readk
star <- star[!is.na(star$score) & !is.na(star$stark) & !is.na(star$lunchk) & !is.na(star$gender), ]
star$stark <- relevel(factor(star$stark), "regular")
star$free <- as.numeric(star$lunchk == "free")
star$girl <- as.numeric(star$gender == "female")
star$w <- 0.5 + (star$schoolidk %% 7) / 7
star$class <- paste(star$schoolidk, star$stark)
both <- c("starksmall", "free")
inter <- c("starksmall", "starkregular+aide", "starksmall:free_c")
for (se in c("classical", "HC0", "HC1", "HC2", "HC3")) {
  terms_of(paste("lin", se), lm_lin(score ~ stark, ~ free + girl, star, se_type = se), inter)
  terms_of(paste("weighted", se), lm_robust(score ~ stark + free + girl, star, weights = w, se_type = se), both)
  terms_of(paste("absorbed", se), lm_robust(score ~ stark + free + girl, star, fixed_effects = ~schoolidk, se_type = se), both)
  terms_of(paste("absorbed weighted", se), lm_robust(score ~ stark + free + girl, star, fixed_effects = ~schoolidk, weights = w, se_type = se), both)
}
for (se in c("CR0", "stata", "CR2")) {
  terms_of(paste("lin", se), lm_lin(score ~ stark, ~ free + girl, star, se_type = se, clusters = schoolidk), inter)
  terms_of(paste("clustered", se), lm_robust(score ~ stark + free + girl, star, clusters = class, se_type = se), both)
  terms_of(paste("clustered weighted", se), lm_robust(score ~ stark + free + girl, star, clusters = class, weights = w, se_type = se), both)
  terms_of(paste("absorbed clustered", se), lm_robust(score ~ stark + free + girl, star, fixed_effects = ~schoolidk, clusters = class, se_type = se), both)
  terms_of(paste("absorbed same", se), lm_robust(score ~ stark + free + girl, star, fixed_effects = ~schoolidk, clusters = schoolidk, se_type = se), both)
}
terms_of("lin weighted CR2", lm_lin(score ~ stark, ~ free + girl, star, weights = w, clusters = schoolidk), inter)
terms_of("two effects HC2", lm_robust(score ~ stark + free + girl, star, fixed_effects = ~ schoolidk + birth, se_type = "HC2"), both)
few <- star[star$schoolidk %in% sort(unique(star$schoolidk))[1:15], ]
f <- lm_robust(score ~ stark + free + girl + factor(schoolidk), few, weights = w, clusters = class, se_type = "CR2")
terms_of("absorbed clustered weighted CR2", f, "starksmall")
put("weighted CR3", sqrt(diag(vcovCR(lm(score ~ stark + free + girl, few, weights = w), few$schoolidk, "CR3"))))
put("CR3", sqrt(diag(vcovCR(lm(score ~ stark + free + girl, star), star$schoolidk, "CR3"))))
joint <- function(id, data, which, test) {
  m <- lm(score ~ stark + free + girl, data)
  w <- Wald_test(m, constrain_zero(which), vcovCR(m, data$schoolidk, "CR2"), test = test)
  put(id, unlist(w[c("Fstat", "df_num", "df_denom", "p_val")]))
}
joint("joint HTZ 2", star, 2:3, "HTZ"); joint("joint HTZ 4", star, 2:5, "HTZ"); joint("joint F", star, 2:3, "Naive-F")
joint("joint HTZ few", few, 2:3, "HTZ")

d <- star[star$stark != "regular+aide", ]
d$z <- as.numeric(d$stark == "small")
d$region <- d$schoolidk %% 6
mean_of("means", difference_in_means(score ~ z, d))
mean_of("means weighted", difference_in_means(score ~ z, d, weights = w))
mean_of("means clustered", difference_in_means(score ~ z, d, clusters = class))
mean_of("means clustered weighted", difference_in_means(score ~ z, d, clusters = class, weights = w))
mean_of("means blocked", difference_in_means(score ~ z, d, blocks = region))
mean_of("means blocked weighted", difference_in_means(score ~ z, d, blocks = region, weights = w))
mean_of("means blocked clustered", difference_in_means(score ~ z, d, blocks = region, clusters = class))
whole <- names(which(rowSums(table(d$schoolidk, d$z) > 0) == 2))
mean_of("means pairs of clusters", difference_in_means(score ~ z, d[d$schoolidk %in% whole, ], blocks = schoolidk, clusters = class))
sleep <- table_of("sleep"); sleep$z <- as.numeric(sleep$group == 2)
mean_of("means pairs", difference_in_means(extra ~ z, sleep, blocks = ID))
anorexia <- table_of("anorexia"); anorexia$gain <- anorexia$Postwt - anorexia$Prewt
two <- anorexia[anorexia$Treat %in% c("CBT", "Cont"), ]
mean_of("means anorexia", difference_in_means(gain ~ Treat, two, condition1 = "Cont", condition2 = "CBT"))
by <- split(two$gain, two$Treat)
e <- escalc("SMD", m1i = mean(by$CBT), sd1i = sd(by$CBT), n1i = length(by$CBT), m2i = mean(by$Cont), sd2i = sd(by$Cont), n2i = length(by$Cont))
put("hedges anorexia", c(e$yi, sqrt(e$vi)))
nsw <- table_of("nsw"); nsw$p <- ifelse(nsw$nodegree == 1, .4, .5)
total <- function(id, f) put(id, c(f$coefficients, f$std.error, f$p.value))
total("horvitz by person", horvitz_thompson(re78 ~ treat, nsw, condition_prs = p))
total("horvitz blocks", horvitz_thompson(re78 ~ treat, nsw, blocks = nodegree))
total("horvitz complete", horvitz_thompson(re78 ~ treat, nsw, condition_prs = 185 / 445, simple = FALSE))
total("horvitz clusters", horvitz_thompson(score ~ z, d, clusters = class, condition_prs = .5))

card <- na.omit(table_of("card"))
right <- "exper + black + south + smsa + married"
iv <- as.formula(paste("lwage ~ educ +", right, "| nearc4 +", right))
for (se in c("classical", "HC0", "HC1", "HC2", "HC3")) terms_of(paste("card", se), iv_robust(iv, card, se_type = se), c("educ", "exper"))
asked <- function(id, f) {
  put(paste(id, "first stage"), f$diagnostic_first_stage_fstatistic)
  put(paste(id, "exogenous"), f$diagnostic_endogeneity_test)
  if (!is.na(f$diagnostic_overid_test[1])) put(paste(id, "agree"), f$diagnostic_overid_test)
}
asked("card", iv_robust(iv, card, diagnostics = TRUE))
cigarettes <- table_of("cigarettes")
cigarettes <- within(cigarettes[cigarettes$year == 1995, ], {
  rprice <- price / cpi; rincome <- income / population / cpi; tdiff <- (taxs - tax) / cpi; rtax <- tax / cpi
})
smoke <- log(packs) ~ log(rprice) + log(rincome) | log(rincome) + tdiff + rtax
for (se in c("classical", "HC1", "HC2")) {
  terms_of(paste("cigarettes", se), iv_robust(smoke, cigarettes, se_type = se), "log(rprice)")
  asked(paste("cigarettes", se), iv_robust(smoke, cigarettes, se_type = se, diagnostics = TRUE))
}
thornton <- na.omit(table_of("thornton")); thornton$w <- 1 + thornton$age %% 3
hiv <- got ~ tinc + age | any + age
for (se in c("CR0", "stata", "CR2")) {
  terms_of(paste("thornton", se), iv_robust(hiv, thornton, clusters = villnum, se_type = se), c("tinc", "age"))
  terms_of(paste("thornton absorbed", se), iv_robust(hiv, thornton, fixed_effects = ~villnum, clusters = villnum, se_type = se), "tinc")
}
terms_of("thornton weighted HC2", iv_robust(hiv, thornton, weights = w, se_type = "HC2"), "tinc")
terms_of("thornton weighted CR2", iv_robust(hiv, thornton, weights = w, clusters = villnum, se_type = "CR2"), "tinc")

gehan <- table_of("gehan"); aml <- table_of("aml"); veteran <- table_of("veteran"); lung <- table_of("lung")
colon <- table_of("colon"); colon <- colon[colon$etype == 2, ]; lung$dead <- as.numeric(lung$status == 2)
ranks <- function(id, f) put(id, c(f$chisq, length(f$n) - 1, f$obs, f$exp))
ranks("log-rank gehan", survdiff(Surv(time, cens) ~ treat, gehan))
ranks("log-rank aml", survdiff(Surv(time, cens) ~ group, aml))
ranks("log-rank lung", survdiff(Surv(time, dead) ~ sex, lung))
ranks("log-rank veteran cells", survdiff(Surv(time, status) ~ celltype, veteran))
ranks("log-rank colon", survdiff(Surv(time, status) ~ rx, colon))
put("log-rank veteran in strata", survdiff(Surv(time, status) ~ trt + strata(celltype), veteran)$chisq)
hazard <- function(id, f) {
  s <- summary(f)$coefficients
  put(id, c(rbind(s[, 1], s[, if ("robust se" %in% colnames(s)) "robust se" else "se(coef)"]), f$loglik[2]))
}
hazard("cox gehan", coxph(Surv(time, cens) ~ treat, gehan))
hazard("cox lung", coxph(Surv(time, dead) ~ sex + age, lung))
hazard("cox veteran robust", coxph(Surv(time, status) ~ trt + karno, veteran, robust = TRUE))
hazard("cox lung clusters", coxph(Surv(time, dead) ~ sex + age, lung[!is.na(lung$inst), ], cluster = inst))
hazard("cox colon", coxph(Surv(time, status) ~ rx, colon))
hazard("cox veteran strata", coxph(Surv(time, status) ~ trt + karno + strata(celltype), veteran))
hazard("cox veteran strata robust", coxph(Surv(time, status) ~ trt + karno + strata(celltype), veteran, robust = TRUE))
area <- function(id, f, horizon) put(id, t(summary(f, rmean = horizon)$table[, c("rmean", "se(rmean)")]))
area("rmst veteran", survfit(Surv(time, status) ~ trt, veteran), 365)
area("rmst lung", survfit(Surv(time, dead) ~ sex, lung), 500)
area("rmst gehan", survfit(Surv(time, cens) ~ treat, gehan), 20)
s <- summary(survfit(Surv(time, cens) ~ 1, aml[aml$group == 1, ]))
put("kaplan-meier aml", rbind(s$time, s$surv, s$std.err))

epil <- table_of("epil"); polyps <- table_of("polyps"); nsw$job <- as.numeric(nsw$re78 > 0)
control <- glm.control(epsilon = 1e-14, maxit = 100)
g <- glm.nb(y ~ trt + lbase + V4, epil); put("negative binomial epil", c(coef(g)[2], sqrt(vcov(g)[2, 2]), g$theta, logLik(g)))
g <- glm(y ~ trt + lbase, poisson, epil, control = control)
put("poisson epil HC0", sqrt(diag(vcovHC(g, "HC0")))); put("poisson epil HC1", sqrt(diag(vcovHC(g, "HC1"))))
put("poisson epil CR1", sqrt(diag(vcovCL(g, epil$subject, type = "HC1"))))
g <- glm(number ~ treat + age, poisson, polyps, control = control); put("poisson polyps", c(coef(g), sqrt(diag(vcov(g)))))
g <- glm(job ~ treat + age + educ, binomial, nsw, control = control); put("logit nsw", c(coef(g), sqrt(diag(vcov(g)))))
ordered <- function(id, f, k) put(id, c(coef(f), sqrt(diag(vcov(f)))[1:k], f$zeta, logLik(f)))
wine <- table_of("wine"); lanza <- table_of("lanza")
ordered("proportional odds wine", polr(factor(rating) ~ temp + contact, wine, Hess = TRUE), 2)
ordered("proportional odds lanza", polr(factor(classification) ~ treatment, lanza, Hess = TRUE), 1)
engel <- table_of("engel")
for (tau in c(.1, .5, .9)) for (se in c("iid", "nid", "ker")) {
  put(paste("quantile engel", tau, se), summary(rq(foodexp ~ income, tau, engel), se = se)$coefficients[, 1:2])
}
suppressWarnings(for (se in c("iid", "nid", "ker")) {
  put(paste("quantile star", se), summary(rq(score ~ stark + free, .5, star), se = se)$coefficients[, 1:2])
})
e <- escalc("RR", ai = BCGTB, n1i = BCGVacc, ci = NoVaccTB, n2i = NoVacc, data = table_of("bcg"))
put("bcg effects", e$yi); put("bcg errors", sqrt(e$vi))
for (method in c("REML", "DL", "PM", "EE")) {
  r <- rma(yi, vi, data = e, method = method, control = list(threshold = 1e-10, tol = 1e-10, maxiter = 1000))
  put(paste("bcg", method), c(r$b, r$se, r$tau2, r$QE, r$I2))
  if (method == "EE") next
  r <- rma(yi, vi, data = e, method = method, test = "knha", control = list(threshold = 1e-10, tol = 1e-10, maxiter = 1000))
  put(paste("bcg", method, "hartung-knapp"), c(r$b, r$se, r$ci.lb, r$ci.ub, r$pval))
}
dunnett <- function(id, f) {
  set.seed(1)
  s <- summary(f, test = adjusted("single-step", abseps = 1e-8, maxpts = 5e6))$test
  put(paste(id, "t"), s$tstat); put(id, s$pvalues)
}
suppressWarnings({
  plants <- table_of("plants"); plants$group <- factor(plants$group)
  dunnett("dunnett plants", glht(aov(weight ~ group, plants), mcp(group = "Dunnett")))
  chicks <- table_of("chicks"); chicks$feed <- relevel(factor(chicks$feed), "casein")
  dunnett("dunnett chicks", glht(aov(weight ~ feed, chicks), mcp(feed = "Dunnett")))
})
put("chicks sizes", table(chicks$feed))
terms_of("factors", lm_robust(breaks ~ wool * tension, table_of("warpbreaks")), c("woolB", "tensionL", "woolB:tensionL"))
terms_of("logarithm", lm_robust(log(breaks) ~ wool * tension, table_of("warpbreaks"), se_type = "HC3"), "woolB:tensionL")
p <- c(.001, .01, .02, .04, .05, .2, .5)
for (m in c("holm", "hochberg", "hommel", "bonferroni", "BH", "BY")) put(paste("adjust", m), p.adjust(p, m))
w <- wilcox.test(extra ~ group, sleep, exact = FALSE, correct = FALSE); put("ranks sleep", c(w$statistic, w$p.value))
put("student tails", c(2 * pt(-30, 1e6), 2 * pt(-1e5, 2.3), 2 * pt(-37, 50), 2 * pt(-200, 20.5)))
versions <- sapply(c("estimatr", "clubSandwich", "survival", "MASS", "sandwich", "quantreg", "metafor", "multcomp"), function(x) as.character(packageVersion(x)))
write_json(list(about = paste(R.version.string, paste(names(versions), versions, collapse = ", ")), values = out), arguments[2], digits = NA, auto_unbox = FALSE, pretty = 0)
