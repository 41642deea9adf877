# Tables of figures that other software finds, for tests/inference/test_references.py.
#
#     Rscript make_references.R        (in this folder)
#
# Needs, beside R, packages of Debian: r-cran-sandwich, r-cran-clubsandwich,
# r-cran-survey, r-cran-brglm2, r-cran-mass. Rows are drawn by R itself.

suppressMessages({
  library(sandwich)
  library(clubSandwich)
  library(survey)
  library(brglm2)
  library(MASS)
})
set.seed(14)

# Rows -------------------------------------------------------------------------------

n <- 90
group <- rep(1:14, times = c(15, 12, 10, 9, 8, 7, 6, 5, 5, 4, 3, 2, 2, 2))
a1 <- rbinom(n, 1, 0.5)
a2 <- rbinom(n, 1, 0.3)
a3 <- rbinom(n, 1, 0.15)
x <- round(rnorm(n), 3)
weight <- round(exp(rnorm(n, sd = 0.6)), 3)
shared <- rnorm(14, sd = 0.6)[group]
y <- round(0.8 * a1 - 0.4 * a2 + 0.3 * x + shared + rnorm(n) * (1 + a3), 3)
class <- rbinom(n, 1, plogis(-0.6 + 0.9 * a1 - 0.5 * x))
# separated: the class never occurs where a3 holds
rare <- ifelse(a3 == 1, 0, rbinom(n, 1, 0.25))
count <- rnbinom(n, size = 0.6, mu = exp(0.3 + 0.7 * a1 - 0.4 * a2))
stars <- findInterval(0.9 * a1 + 0.4 * x + rlogis(n), c(-2, -1, 0, 1.2)) + 1
rows <- data.frame(
  a1, a2, a3, x, weight, group, y, class, rare, count, stars
)
write.csv(rows, "rows.csv", row.names = FALSE, quote = FALSE)

# Figures ----------------------------------------------------------------------------

found <- data.frame()
keep <- function(method, term, ...) {
  values <- list(...)
  empty <- rep(NA_real_, length(term))
  row <- data.frame(method = method, term = term)
  for (name in c("estimate", "se", "df", "lower", "upper", "p")) {
    row[[name]] <- if (is.null(values[[name]])) empty else as.numeric(values[[name]])
  }
  found <<- rbind(found, row)
}
terms <- c("a1", "a2", "a3")

# standard errors of R's sandwich; degrees of freedom and p-values of clubSandwich,
# for which every row is a cluster of its own
keep_club <- function(method, fit, type, cluster, of = terms) {
  test <- coef_test(fit, vcov = type, cluster = cluster, test = "Satterthwaite")
  bounds <- conf_int(fit, vcov = type, cluster = cluster, test = "Satterthwaite")
  at <- match(of, names(coef(fit)))
  keep(
    method, of,
    estimate = coef(fit)[at], se = test$SE[at],
    df = if (is.null(test$df_Satt)) test$df[at] else test$df_Satt[at],
    lower = bounds$CI_L[at], upper = bounds$CI_U[at],
    p = if (is.null(test$p_Satt)) test$p_val[at] else test$p_Satt[at]
  )
}

linear <- lm(y ~ a1 + a2 + a3 + x, data = rows)
for (type in c("HC2", "HC3")) {
  keep(
    paste(type, "sandwich"), terms,
    estimate = coef(linear)[terms], se = sqrt(diag(vcovHC(linear, type)))[terms]
  )
}
keep_club("HC2", linear, "CR2", seq_len(n))
keep_club("HC3", linear, "CR3", seq_len(n))
keep_club("CR2", linear, "CR2", group)
keep_club("CR3", linear, "CR3", group)

weighted <- lm(y ~ a1 + a2 + a3 + x, data = rows, weights = weight)
for (type in c("HC2", "HC3")) {
  keep(
    paste(type, "weighted, sandwich"), terms,
    estimate = coef(weighted)[terms], se = sqrt(diag(vcovHC(weighted, type)))[terms]
  )
}
keep_club("HC3 weighted", weighted, "CR3", seq_len(n))
keep_club("CR2 weighted", weighted, "CR2", group)
keep_club("CR3 weighted", weighted, "CR3", group)
design <- svydesign(ids = ~1, weights = ~weight, data = rows)
keep("survey", terms, estimate = coef(svyglm(y ~ a1 + a2 + a3 + x, design))[terms])
keep(
  "survey, one at a time", terms,
  estimate = sapply(terms, function(a) {
    coef(svyglm(reformulate(a, "y"), design))[[2]]
  })
)

# one hypothesis at a time
for (a in terms) {
  holds <- rows[[a]] == 1
  for (of in c("y", "x")) {
    value <- rows[[of]]
    welch <- t.test(value[holds], value[!holds])
    keep(
      paste("Welch", of), a,
      estimate = mean(value[holds]) - mean(value[!holds]), se = welch$stderr,
      df = welch$parameter, lower = welch$conf.int[1], upper = welch$conf.int[2],
      p = welch$p.value
    )
    alone <- lm(reformulate(a, of), data = rows)
    keep_club(paste("Bell-McCaffrey", of), alone, "CR2", seq_len(n), a)
  }
  alone <- lm(reformulate(a, "y"), data = rows)
  keep_club("CR2, one at a time", alone, "CR2", group, a)
  alone <- lm(reformulate(a, "y"), data = rows, weights = weight)
  keep_club("CR2 weighted, one at a time", alone, "CR2", group, a)
  # Newcombe's interval, his method 10, from Wilson's
  hits <- c(sum(class[holds]), sum(class[!holds]))
  totals <- c(sum(holds), sum(!holds))
  wilson <- sapply(1:2, function(k) {
    prop.test(hits[k], totals[k], correct = FALSE)$conf.int
  })
  share <- hits / totals
  keep(
    "Fisher, Newcombe", a,
    estimate = share[1] - share[2],
    lower = share[1] - share[2] -
      sqrt((share[1] - wilson[1, 1])^2 + (wilson[2, 2] - share[2])^2),
    upper = share[1] - share[2] +
      sqrt((wilson[2, 1] - share[1])^2 + (share[2] - wilson[1, 2])^2),
    p = fisher.test(table(holds, class))$p.value
  )
}

# classes
logit <- glm(class ~ a1 + a2 + a3 + x, data = rows, family = binomial,
             control = glm.control(epsilon = 1e-14))
keep("logit", terms,
     estimate = coef(logit)[terms], se = sqrt(diag(vcov(logit)))[terms])
firth <- glm(rare ~ a1 + a2 + a3 + x, data = rows, family = binomial,
             method = "brglmFit", type = "AS_mean", epsilon = 1e-12, maxit = 1000)
keep("Firth", terms,
     estimate = coef(firth)[terms], se = sqrt(diag(vcov(firth)))[terms])

# counts and stars
counts <- glm(count ~ a1 + a2 + a3, data = rows, family = quasipoisson,
              control = glm.control(epsilon = 1e-14))
keep_club("quasi-Poisson HC2", counts, "CR2", seq_len(n))
keep_club("quasi-Poisson HC3", counts, "CR3", seq_len(n))
keep_club("quasi-Poisson CR3", counts, "CR3", group)
ordered_logit <- polr(factor(stars) ~ a1 + a2 + a3, data = rows, Hess = TRUE,
                      control = list(reltol = 1e-16, maxit = 1000))
keep("ordered logit", terms,
     estimate = coef(ordered_logit)[terms],
     se = sqrt(diag(vcov(ordered_logit)))[terms])

found[-(1:2)] <- lapply(found[-(1:2)], function(v) {
  ifelse(is.na(v), "", sprintf("%.12g", v))
})
write.csv(found, "figures.csv", row.names = FALSE)

# Step-down by permutation -------------------------------------------------------------

# All orders of eight targets. The statistic is a normal score (Wallace 1959) of a
# difference of means over its standard error: between the one that takes spreads as
# equal and Welch's, if that is larger, with degrees of freedom between n - 2 and Bell
# and McCaffrey's, by how far the two variances are apart (Wilson and Hilferty's score
# of their ratio; half way at 1, as where nothing else is known of the family).
small <- data.frame(
  b1 = c(1, 1, 1, 1, 0, 0, 0, 0),
  b2 = c(1, 0, 1, 0, 1, 0, 1, 0),
  b3 = c(1, 1, 0, 0, 0, 1, 0, 0)
)
z <- c(5.1, 4.2, 6.3, 2.9, 1.1, 0.7, 2.2, 1.4)
score <- function(y) {
  sapply(small, function(a) {
    m <- c(sum(a), sum(1 - a))
    own <- c(var(y[a == 1]), var(y[a == 0]))
    free <- length(y) - 2
    pooled <- sum((m - 1) * own) / free * sum(1 / m)
    robust <- sum(own / m)
    fewer <- sum(1 / m)^2 / sum(1 / (m^2 * (m - 1)))
    apart <- ((robust / pooled)^(1 / 3) - 1 + 2 / (9 * fewer)) / sqrt(2 / (9 * fewer))
    w <- plogis(4 * (apart - 1))
    df <- min(free, 1 / ((1 - w) / free + w / fewer))
    t <- (mean(y[a == 1]) - mean(y[a == 0])) /
      sqrt(pooled + w * max(robust - pooled, 0))
    sqrt(df * log1p(t^2 / df)) * (8 * df + 1) / (8 * df + 3)
  })
}
permute <- function(v) {
  if (length(v) == 1) return(list(v))
  do.call(c, lapply(seq_along(v), function(i) {
    lapply(permute(v[-i]), function(rest) c(v[i], rest))
  }))
}
drawn <- sapply(permute(seq_along(z)), function(order) score(z[order]))
observed <- score(z)
order <- order(-observed)
corrected <- numeric(3)
for (k in 1:3) {
  largest <- apply(drawn[order[k:3], , drop = FALSE], 2, max)
  corrected[order[k]] <- mean(largest >= observed[order[k]] - 1e-9)
}
corrected[order] <- cummax(corrected[order])
alone <- rowMeans(drawn >= observed - 1e-9)
write.csv(cbind(small, y = z), "step_down_rows.csv", row.names = FALSE)
write.csv(
  data.frame(term = names(small), z = observed, p = alone, p_corrected = corrected),
  "step_down.csv", row.names = FALSE
)
