# Makes summaries.txt, beside this file: what lme4 and lmerTest print, but for the head, and with
# three decimals of the correlations of random effects, as lme4 printed until 2013.
# Rscript tests/model/summaries.R, from the top of the repository. R 4.2.2, lmerTest 3.1-3.
Sys.setenv(LANGUAGE = "en")
suppressMessages(library(lmerTest))
options(width = 120, useFancyQuotes = FALSE)
env <- new.env()
source_lines <- readLines("tests/model/lme4.R")
eval(parse(text = source_lines[seq_len(which(grepl("^many <-", source_lines)))]), env)
frames <- c(env$frames, list(ogorek2012 = read.csv("hlm/datasets/ogorek2012.csv.gz")))

text_of <- function(fit, tests) {
  shown <- if (tests) summary(fit) else lme4:::summary.merMod(fit)
  lines <- capture.output(print(shown))
  lines <- lines[seq(which(grepl("^(REML criterion| +AIC)", lines)), length(lines))]
  four <- lme4::formatVC(VarCorr(fit), digits = 4, comp = c("Variance", "Std.Dev."))
  five <- lme4::formatVC(VarCorr(fit), digits = 5, comp = c("Variance", "Std.Dev."))
  if (ncol(four) > 4) four[, -(1:4)] <- five[, -(1:4)]
  begin <- which(lines == "Random effects:")
  end <- which(grepl("^Number of obs", lines))
  lines <- c(lines[1:begin], capture.output(print(four, quote = FALSE)), lines[end:length(lines)])
  gsub("[\u2018\u2019]", "'", sub(" +$", "", lines))
}

cases <- list(
  list("y ~ x * a + (1 + x | unit)", "ogorek2012", TRUE, FALSE),
  list("y ~ x * a + (1 + x | unit)", "ogorek2012", FALSE, FALSE),
  list("y ~ x * a + (1 + x || unit)", "ogorek2012", TRUE, FALSE),
  list("mathach ~ ses * meanses + (1 + ses | school)", "mathachieve", TRUE, TRUE),
  list("mathach ~ meanses * cses + sector * cses + (1 + cses | school)", "mathachieve", TRUE, TRUE),
  list("mathach ~ ses * sector + sex + minority + (1 + sex | school)", "mathachieve", FALSE, TRUE),
  list("score ~ Machine + (0 + Machine | Worker)", "machines", TRUE, TRUE),
  list(env$many, "made", TRUE, TRUE),
  list("y ~ x * f + (1 + x | unit)", "made", TRUE, TRUE),
  list("y ~ 1 + (1 | unit)", "made", TRUE, TRUE))

control <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-9, maxfun = 1e5))
for (case in cases) {
  fit <- suppressMessages(do.call(lmer, list(as.formula(case[[1]]), frames[[case[[2]]]],
                                             REML = case[[3]], control = control)))
  cat("=== ", case[[2]], " ", if (case[[3]]) "reml" else "ml", " ",
      if (case[[4]]) "satterthwaite" else "none", " ", case[[1]], "\n", sep = "",
      file = "tests/model/summaries.txt", append = !identical(case, cases[[1]]))
  write(text_of(fit, case[[4]]), "tests/model/summaries.txt", append = TRUE)
}
