from bureau.access import account_views, factor_views, views, workbook_views
from bureau.access.routes import ANYBODY, LOGGED_IN, path

VIEW, EDIT = "accounts.view", "accounts.edit"

urlpatterns = [
    path("login/", factor_views.LogIn.as_view(), right=ANYBODY, name="login"),
    path("login/code/", factor_views.login_code, right=ANYBODY, name="login_code"),
    path("logout/", views.log_out, right=LOGGED_IN, name="logout"),
    path("second-factor/", factor_views.setup, right=LOGGED_IN, name="second_factor"),
    path("second-factor/again/", factor_views.code_again, right=LOGGED_IN, name="code_again"),
    path("password/", views.change_password, right=LOGGED_IN, name="change_password"),
    path("accounts/", account_views.accounts, right=VIEW, name="accounts"),
    path("accounts/new/", account_views.create_account, right=EDIT, name="create_account"),
    path("accounts/reset/", account_views.reset_passwords, right=EDIT, name="reset_passwords"),
    path("accounts/workbook/", workbook_views.upload_accounts, right=EDIT, name="upload_accounts"),
    path("accounts/workbook/blank/", workbook_views.blank_workbook, right=EDIT, name="accounts_workbook"),
    path("accounts/workbook/confirm/", workbook_views.confirm_accounts, right=EDIT, name="confirm_accounts"),
    path("accounts/<uuid:account_id>/", account_views.account, right=VIEW, name="account"),
    path("accounts/<uuid:account_id>/edit/", account_views.edit_account, right=EDIT, name="edit_account"),
    path("accounts/<uuid:account_id>/assign/", account_views.assign, right=EDIT, name="assign"),
    path(
        "accounts/<uuid:account_id>/reset/", account_views.reset_password, right=EDIT, name="reset_password"
    ),
    path(
        "accounts/<uuid:account_id>/second-factor/reset/",
        factor_views.reset_second_factor,
        right=EDIT,
        name="reset_second_factor",
    ),
    path(
        "accounts/<uuid:account_id>/disable/",
        account_views.disable_account,
        right=EDIT,
        name="disable_account",
    ),
    path(
        "accounts/<uuid:account_id>/enable/", account_views.enable_account, right=EDIT, name="enable_account"
    ),
    path(
        "assignments/<int:assignment_id>/end/",
        account_views.end_assignment,
        right=EDIT,
        name="end_assignment",
    ),
    path("rights/", account_views.rights, right="rights.edit", name="rights"),
]
