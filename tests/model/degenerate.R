# Makes degenerate.json, beside this file: fits by lme4 of data with which something is wrong.
# Rscript tests/model/degenerate.R, from the top of the repository. R 4.2.2, lme4 1.1-31.
# test_degenerate.py makes the same data frames.
suppressMessages({library(lme4); library(jsonlite)})

d <- read.csv("tests/reference/sim_unbalanced.csv")
k <- seq_len(nrow(d)) - 1
d$z <- sin(k)
for (j in 1:30) d[[paste0("c", j)]] <- cos(j * k)
place <- ave(seq_along(d$unit), d$unit, FUN = seq_along)
first <- function(v) ave(v, d$unit, FUN = function(s) s[1])
many <- paste0("y ~ ", paste0("c", 1:29, collapse = " + "), " + (1 + x | unit)")

cases <- list(
  list("x_of_units", transform(d, x = first(x)), "y ~ x + (1 + x | unit)"),
  list("x_constant", transform(d, x = 2), "y ~ x + (1 | unit)"),
  list("x_constant_slope", transform(d, x = 2), "y ~ x + (1 + x | unit)"),
  list("x_zero_slope", transform(d, x = 0), "y ~ x + (1 + x | unit)"),
  list("one_row_in_most", d[d$unit <= 5 | place == 1, ], "y ~ x + (1 + x | unit)"),
  list("two_rows", d[place <= 2, ], "y ~ x + (1 | unit)"),
  list("two_units", d[d$unit <= 2, ], "y ~ x + (1 + x | unit)"),
  list("two_units_three_effects", d[d$unit <= 2, ], "y ~ x + (1 + x + z | unit)"),
  list("three_units_three_effects", d[d$unit <= 3, ], "y ~ x + (1 + x + z | unit)"),
  list("dependent_slopes", transform(d, x2 = 2 * x), "y ~ x + (1 + x + x2 | unit)"),
  list("same_bar_twice", d, "y ~ x + (1 | unit) + (0 + x | unit) + (0 + z | unit)"),
  list("thirty_columns", d, many),
  list("dependent_thirty", transform(d, c30 = c1 - c2, c29 = c3 + 1), many),
  list("four_effects", d, "y ~ x + c1 + (1 + x + c1 + c2 | unit)"),
  list("five_effects", d, "y ~ x + c1 + (1 + x + c1 | unit) + (0 + c2 + c3 | unit)"),
  list("six_effects", d, "y ~ x + c1 + (1 + x + c1 + c2 + c3 + c4 | unit)"),
  list("six_variances", d, "y ~ x + c1 + (1 + x + c1 + c2 + c3 + c4 || unit)"))

best <- function(formula, data, reml) {
  controls <- list(
    lmerControl(calc.derivs = FALSE,
                optCtrl = list(xtol_abs = 1e-12, ftol_abs = 1e-12, maxeval = 1e5)),
    lmerControl(optimizer = "bobyqa", calc.derivs = FALSE,
                optCtrl = list(rhoend = 1e-9, maxfun = 1e5)),
    lmerControl(optimizer = "nlminbwrap", calc.derivs = FALSE))
  fits <- suppressMessages(suppressWarnings(lapply(controls, function(control)
    lmer(formula, data, REML = reml, control = control))))
  fits[[which.min(sapply(fits, function(fit) -2 * as.numeric(logLik(fit))))]]
}

one <- function(case, reml) {
  fit <- best(as.formula(case[[3]]), case[[2]], reml)
  list(name = case[[1]], formula = case[[3]], reml = reml, coef_names = as.list(names(fixef(fit))),
       beta = as.list(unname(fixef(fit))),
       se = as.list(unname(sqrt(diag(as.matrix(vcov(fit)))))),
       sigma = sigma(fit), criterion = -2 * as.numeric(logLik(fit)),
       dropped = as.list(names(attr(getME(fit, "X"), "col.dropped"))))
}

fits <- unlist(lapply(cases, function(case) lapply(c(TRUE, FALSE), one, case = case)),
               recursive = FALSE)
writeLines(toJSON(fits, auto_unbox = TRUE, digits = NA, pretty = FALSE, na = "null"),
           "tests/model/degenerate.json")
