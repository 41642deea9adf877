"""The works that sentences about a test cite, in full."""

# By what a sentence calls them; the order is that of the list
REFERENCES = {
    "Bell and McCaffrey 2002": "R. M. Bell, D. F. McCaffrey (2002). Bias reduction in "
    "standard errors for linear regression with multi-stage samples. Survey "
    "Methodology 28(2), 169-181.",
    "Benjamini and Hochberg 1995": "Y. Benjamini, Y. Hochberg (1995). Controlling the "
    "false discovery rate: a practical and powerful approach to multiple testing. "
    "Journal of the Royal Statistical Society B 57(1), 289-300.",
    "Benjamini and Yekutieli 2001": "Y. Benjamini, D. Yekutieli (2001). The control of "
    "the false discovery rate in multiple testing under dependency. Annals of "
    "Statistics 29(4), 1165-1188.",
    "DiCiccio and Romano 2017": "C. J. DiCiccio, J. P. Romano (2017). Robust "
    "permutation tests for correlation and regression coefficients. Journal of the "
    "American Statistical Association 112(519), 1211-1220.",
    "Firth 1993": "D. Firth (1993). Bias reduction of maximum likelihood estimates. "
    "Biometrika 80(1), 27-38.",
    "Heinze and Schemper 2002": "G. Heinze, M. Schemper (2002). A solution to the "
    "problem of separation in logistic regression. Statistics in Medicine 21(16), "
    "2409-2419.",
    "Holm 1979": "S. Holm (1979). A simple sequentially rejective multiple test "
    "procedure. Scandinavian Journal of Statistics 6(2), 65-70.",
    "MacKinnon and White 1985": "J. G. MacKinnon, H. White (1985). Some "
    "heteroskedasticity-consistent covariance matrix estimators with improved finite "
    "sample properties. Journal of Econometrics 29(3), 305-325.",
    "Movva et al. 2025": "R. Movva, K. Peng, N. Garg, J. Kleinberg, E. Pierson (2025). "
    "Sparse Autoencoders for Hypothesis Generation. arXiv 2502.04382.",
    "Newcombe 1998": "R. G. Newcombe (1998). Interval estimation for the difference "
    "between independent proportions: comparison of eleven methods. Statistics in "
    "Medicine 17(8), 873-890.",
    "Pustejovsky and Tipton 2018": "J. E. Pustejovsky, E. Tipton (2018). Small-sample "
    "methods for cluster-robust variance estimation and hypothesis testing in fixed "
    "effects models. Journal of Business & Economic Statistics 36(4), 672-683.",
    "Rao and Scott 1984": "J. N. K. Rao, A. J. Scott (1984). On chi-squared tests for "
    "multiway contingency tables with cell proportions estimated from survey data. "
    "Annals of Statistics 12(1), 46-60.",
    "Westfall and Young 1993": "P. H. Westfall, S. S. Young (1993). Resampling-Based "
    "Multiple Testing: Examples and Methods for p-Value Adjustment. Wiley.",
}


def list_cited(text):
    """Return, in full, the works that a text cites by author and year.

    Examples
    --------
    >>> from sklearn_hypo._report._references import list_cited
    >>> [work[:14] for work in list_cited("as Firth (1993) did (Holm 1979)")]
    ['D. Firth (1993', 'S. Holm (1979)']
    """
    text = text.replace("(", "")
    return [work for name, work in REFERENCES.items() if name in text]
